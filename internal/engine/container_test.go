package engine

import "testing"

func TestWithinIsAtOrBelowADirectory(t *testing.T) {
	for _, c := range []struct {
		p, dir string
		want   bool
	}{
		{"/a/b", "/a/b", true},
		{"/a/b/c", "/a/b", true},
		{"/a/b/../b/", "/a//b/", true},
		{"/a/b", "/", true},
		{"/a/bc", "/a/b", false},
		{"/a/b/../c", "/a/b", false},
		{"/a", "/a/b", false},
		{"/a", "", false},
	} {
		if got := Within(c.p, c.dir); got != c.want {
			t.Errorf("%s within %s: %v", c.p, c.dir, got)
		}
	}
}
