package containerfiles

import (
	"os/exec"
	"testing"
)

// The value is the image's word.
func TestLoginShellHasExactlyThePathOfTheImage(t *testing.T) {
	for _, c := range []struct {
		path string
		env  []string
		want string
	}{
		{"/go/bin:/usr/bin:/bin", nil, "/go/bin:/usr/bin:/bin"},
		{"/go/bin", []string{"A=b", "PATH=/mine"}, "/mine"},
		{`/a'; echo $(id) "x" \`, nil, `/a'; echo $(id) "x" \`},
		{"/a\nexit 1\n", nil, "/a\nexit 1\n"},
	} {
		files := LoginPath(c.path, c.env)
		out, err := exec.Command("/bin/sh", "-c", string(files[0].Data)+`printf %s "$PATH"`).CombinedOutput()
		if err != nil || string(out) != c.want {
			t.Errorf("%q: %q %v", c.path, out, err)
		}
	}
	if files := LoginPath("", []string{"PATH=/mine"}); files != nil {
		t.Errorf("an image that needs none: %+v", files)
	}
}
