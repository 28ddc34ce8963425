package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/environ"
)

func TestTerminalThatTheImageDoesNotKnowIsReplaced(t *testing.T) {
	full, small, empty := t.TempDir(), t.TempDir(), t.TempDir()
	for _, f := range []string{full + "/x/xterm-256color", full + "/v/vt100", small + "/v/vt100"} {
		if err := os.MkdirAll(filepath.Dir(f), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		dirs []string
		env  string // besides A=1
		want string // TERM
	}{
		{[]string{empty, full}, "TERM=xterm-kitty", commonTerminal},
		{[]string{empty, full}, "TERM=../v/vt100", commonTerminal},
		{[]string{empty, full}, "TERM=vt100", "vt100"},
		{[]string{empty, full}, "TERM=dumb", "dumb"},
		{[]string{empty, full}, "TERM=unknown", "unknown"},
		{[]string{empty, full}, "TERM=", ""},
		{[]string{empty, full}, "B=2", ""},
		{[]string{empty, full}, "TERM=foot TERMINFO=/nix/terminfo", "foot"},
		{[]string{empty, full}, "TERM=foot TERMINFO_DIRS=/nix/terminfo", "foot"},
		{[]string{small}, "TERM=xterm-kitty", "xterm-kitty"},
		{[]string{empty, empty + "/none"}, "TERM=xterm-kitty", "xterm-kitty"},
	} {
		env := append([]string{"A=1"}, strings.Fields(c.env)...)
		got, notice := withKnownTerminal(env, c.dirs)
		if term := environ.Get(got, "TERM"); term != c.want || environ.Get(got, "A") != "1" {
			t.Errorf("%s: got %q, want TERM=%s", c.env, got, c.want)
		}
		if replaced := environ.Get(env, "TERM") != c.want; replaced != (notice != "") {
			t.Errorf("%s: notice %q", c.env, notice)
		}
	}
}
