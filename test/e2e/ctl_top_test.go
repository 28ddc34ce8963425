//go:build e2e

package e2e

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/hinshun/vt10x"
)

const ctlPath = prefix + "/bin/dockershctl"

func TestTopShowsWhatRunsAndActsAtAKey(t *testing.T) {
	privileged(t, "dockershctl is root's, and looks at root's brokers")
	u := newBoxed(t)
	c := live(t, u)
	id := listedOf(t, u)[0].ID

	top := newConsole(t, 30, 140, ctlPath, "top")
	sees := func(pattern string) {
		t.Helper()
		re := regexp.MustCompile(pattern)
		if !within(limit, func() bool { return re.MatchString(top.screen(30, 140)) }) {
			t.Fatalf("no %q on the screen:\n%s", pattern, top.screen(30, 140))
		}
	}
	sees("NAME +USER +IMAGE +STATE +SESSIONS +CPU")
	top.send("/" + u.name + "\r")
	// Measured by now: percents, and memory with a unit.
	sees(u.name + `_dockersh +` + u.name + ` +\S+ +running +1 +[0-9.]+% +[0-9.]+[kM]B +[0-9]+`)
	top.send("m" + "lunch in 5\r")
	c.expect("dockersh: lunch in 5")
	top.send("\t")
	sees(id)
	top.send("k")
	sees("kick " + id + `\? y/n`)
	top.send("y")
	if status := c.wait(); status != 255 {
		t.Errorf("the kicked session's client ends with %d", status)
	}
	sees("ended")
	top.send("\tR")
	sees("all that is in it is lost")
	top.send("y")
	eventually(t, "the container is gone", func() bool { return len(u.containers(t)) == 0 })
	top.send("q")
	if status := top.wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	if top.modes() != top.found {
		t.Error("the terminal's modes are not as they were")
	}
}

// screen is what the terminal shows now.
func (c *console) screen(rows, cols int) string {
	vt := vt10x.New(vt10x.WithSize(cols, rows), vt10x.WithWriter(io.Discard))
	_, _ = vt.Write([]byte(c.shown()))
	return vt.String()
}

func TestTopWithoutATerminalIsOneLine(t *testing.T) {
	out, errs, status := ctl(t, "top")
	if out != "" || status != 1 || !strings.HasPrefix(errs, "dockershctl: error: top needs a terminal") || strings.Count(errs, "\n") != 1 {
		t.Errorf("%q %q %d", out, errs, status)
	}
}
