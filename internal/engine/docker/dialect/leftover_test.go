package dialect

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
)

func TestLeftoverIsNoContainer(t *testing.T) {
	id, other := strings.Repeat("a", 64), strings.Repeat("b", 64)
	for _, c := range []struct{ lines, id, kind string }{
		{"", "", ""},
		{id + " Storage alice storage\n", id, "storage"},
		{id + " Storage alice buildah\n", id, "buildah"},
		{other + " Storage alice2 storage\n" + id + " storage alice storage", id, "storage"},
		{id + " Exited (0) alice storage\n", "", ""},
		{id + " Exited alice storage\n", "", ""},
		{id + " Created alice Storage alice storage\n", "", ""},
		{"--all Storage alice storage\n", "", ""},
		{id + " Storage\n", "", ""},
	} {
		if id, kind := leftover(c.lines, "alice"); id != c.id || kind != c.kind {
			t.Errorf("%q: %q %q", c.lines, id, kind)
		}
	}
}

func TestOnlyWhatNobodyWorkedInIsRemoved(t *testing.T) {
	for _, c := range []struct {
		s    engine.Spec
		kind string
		may  bool
	}{
		{engine.Spec{}, "storage", true},
		{engine.Spec{Former: "2"}, "storage", true},
		{engine.Spec{Former: "1"}, "storage", false},
		{engine.Spec{FormerUnknown: true}, "storage", false},
		{engine.Spec{}, "buildah", false},
	} {
		if may := mayRemove(c.s, "1", c.kind); may != c.may {
			t.Errorf("%+v %s: %t", c.s, c.kind, may)
		}
	}
}
