//go:build e2e

package admin

import (
	"regexp"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestTopShowsContainersAndActsOnAKey(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	id := listedOf(t, u)[0].ID

	top := e2e.NewConsole(t, 30, 140, e2e.CtlPath, "top")
	sees := func(pattern string) {
		t.Helper()
		re := regexp.MustCompile(pattern)
		if !e2e.Within(e2e.Limit, func() bool { return re.MatchString(top.Screen(30, 140)) }) {
			t.Fatalf("no %q on the screen:\n%s", pattern, top.Screen(30, 140))
		}
	}
	sees("NAME +USER +IMAGE +STATE +SESSIONS +CPU")
	top.Send("/" + u.Name + "\r")
	// The second measurement has percents, and memory with a unit.
	sees(u.Name + `_dockersh +` + u.Name + ` +\S+ +running +1 +[0-9.]+% +[0-9.]+[kM]B +[0-9]+`)
	top.Send("m" + "lunch in 5\r")
	c.Expect("dockersh: lunch in 5")
	top.Send("\t")
	sees(id)
	top.Send("k")
	sees("kick " + id + `\? y/n`)
	top.Send("y")
	if status := c.Wait(); status != 255 {
		t.Errorf("the kicked session's client ends with %d", status)
	}
	sees("ended")
	top.Send("\tR")
	sees("everything in it is lost")
	top.Send("y")
	e2e.Eventually(t, "the container is gone", func() bool { return len(u.Containers(t)) == 0 })
	top.Send("q")
	if status := top.Wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	if top.Modes() != top.Before {
		t.Error("the terminal's modes are not as they were")
	}
}

func TestTopWithoutATerminalIsOneErrorLine(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	out, errs, status := e2e.Ctl(t, "top")
	if out != "" || status != 1 || !strings.HasPrefix(errs, "dockershctl: error: top needs a terminal") || strings.Count(errs, "\n") != 1 {
		t.Errorf("%q %q %d", out, errs, status)
	}
}
