//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/proto/asciicast"
	"github.com/dockersh/dockersh/internal/root/sessions"
)

// ctlConsole is an administrator who runs dockershctl at 24x80.
func ctlConsole(t *testing.T, args ...string) *console {
	t.Helper()
	return newConsole(t, 24, 80, append([]string{prefix + "/bin/dockershctl"}, args...)...)
}

func TestWatchShowsALiveSessionUntilItsEnd(t *testing.T) {
	u := newRecorded(t)
	name := u.name + "_dockersh"
	c := live(t, u)
	c.run("echo befo\\re")
	w := ctlConsole(t, "watch", name)
	w.expect("before\r\n")
	c.run("echo mean\\while")
	w.expect("meanwhile\r\n")
	w.send("echo typed by the watcher\r")
	c.size(50, 200)
	c.run("stty size")
	w.expect("50 rows and 200 columns, and this one 24 and 80")
	c.line("echo last wor\\ds; exit")
	w.expect("last words\r\n")
	w.expect("the session has ended")
	if status := w.wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	if w.modes() != w.found {
		t.Error("the terminal is not restored")
	}
	c.wait()
	if strings.Contains(c.shown(), "watcher") {
		t.Error("what the watcher typed is in the session")
	}
}

func TestWatchEndsAtCtrlCAndTheSessionGoesOn(t *testing.T) {
	u := newRecorded(t)
	c := live(t, u)
	w := ctlConsole(t, "watch", u.name+"_dockersh")
	w.expect("<%> ")
	w.send("\x03")
	if status := w.wait(); status != 0 || w.modes() != w.found {
		t.Errorf("status %d; %q", status, w.shown())
	}
	if got := c.run("echo here"); got != "here" {
		t.Errorf("%q", got)
	}
}

func TestWatchOfWhatCannotBeWatchedSaysWhy(t *testing.T) {
	privileged(t, "dockershctl is root's, and looks at root's brokers")
	u := newBoxed(t)
	c := live(t, u)
	name := u.name + "_dockersh"
	if out, errs, status := ctl(t, "watch", name); status != 1 || out != "" || !strings.Contains(errs, "is not recorded") || !strings.Contains(errs, "hint: ") || !strings.Contains(errs, "record") {
		t.Errorf("%d %q %q", status, out, errs)
	}
	if _, errs, status := ctl(t, "watch", "nothing-of-that-name"); status != 1 || !strings.Contains(errs, "no live session") {
		t.Errorf("%d %q", status, errs)
	}
	u.reset(t, "record = "+recordings+"/%u/%x.cast")
	d, e := live(t, u), live(t, u)
	d.run("echo I am \\d")
	e.run("echo I am \\e")
	_, errs, status := ctl(t, "watch", name)
	if status != 1 || !strings.Contains(errs, "2 sessions are recorded") {
		t.Errorf("%d %q", status, errs)
	}
	ids := map[string]string{}
	for _, r := range sessions.Of(runDir).All() {
		if r.Container == name && r.Recording != "" {
			_, all := events(t, r.Recording)
			ids[r.ID] = output(all)
		}
	}
	if len(ids) != 2 {
		t.Fatalf("%v", ids)
	}
	for id, shown := range ids {
		if !strings.Contains(errs, id) {
			t.Errorf("%q does not name %s", errs, id)
		}
		w := ctlConsole(t, "watch", id)
		w.expect(map[bool]string{true: "I am d", false: "I am e"}[strings.Contains(shown, "I am d")])
	}
	for _, c := range []*console{c, d, e} {
		c.line("exit")
		c.wait()
	}
	eventually(t, "nothing is left of them", func() bool {
		left, _ := os.ReadDir(runDir + "/s")
		for _, f := range left {
			if strings.HasSuffix(f.Name(), ".cast") && ids[strings.TrimSuffix(f.Name(), ".cast")] != "" {
				return false
			}
		}
		return true
	})
}

// taped writes a recording of a text, one that came long after it, and an answer
// that it asks the terminal for.
func longTape(t *testing.T) string {
	b := asciicast.AppendHeader(nil, asciicast.Header{Width: 80, Height: 24})
	b = asciicast.AppendEvent(b, 0, asciicast.Output, "first\r\n\x1b[c\x1b[31m\x1b[?1000h")
	b = asciicast.AppendEvent(b, 1000*time.Second, asciicast.Marker, "no output")
	b = asciicast.AppendEvent(b, 2000*time.Second, asciicast.Output, "last\r\n")
	path := scratch + "/long.cast"
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReplayKeepsItsTimeAsToldTo(t *testing.T) {
	tape := longTape(t)
	for _, c := range []struct {
		args  []string
		least time.Duration
	}{
		{[]string{"--speed", "2000"}, time.Second},
		{[]string{"--idle-limit=0.4"}, 800 * time.Millisecond},
		{[]string{"--speed=4", "--idle-limit", "2"}, time.Second},
	} {
		begun := time.Now()
		out, errs, status := ctl(t, append(append([]string{"replay"}, c.args...), tape)...)
		if took := time.Since(begun); took < c.least || took > limit {
			t.Errorf("%q took %v, want at least %v", c.args, took, c.least)
		}
		if out != "first\r\n\x1b[c\x1b[31m\x1b[?1000hlast\r\n" || errs != "" || status != 0 {
			t.Errorf("%q: %q %q %d", c.args, out, errs, status)
		}
	}
	for _, args := range [][]string{{"replay"}, {"replay", "a", "b"}, {"replay", "--speed", "0", tape}, {"replay", "--speed"}, {"replay", "-x", tape}, {"watch"}, {"watch", "--json", "x"}} {
		if out, errs, status := ctl(t, args...); status != 2 || out != "" || !strings.Contains(errs, "hint:") {
			t.Errorf("%q: %d %q %q", args, status, out, errs)
		}
	}
	if _, errs, status := ctl(t, "replay", "/etc/passwd"); status != 1 || !strings.Contains(errs, "/etc/passwd: line 1: not a recording") {
		t.Errorf("%d %q", status, errs)
	}
}

// What the terminal answers to a recording is typed by nobody.
func TestReplayHasTheTerminalForItselfAndGivesItBack(t *testing.T) {
	w := ctlConsole(t, "replay", longTape(t))
	w.expect("first")
	w.send("\x1b[?62;c and more\r")
	w.send("\x03")
	if status := w.wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	if w.modes() != w.found {
		t.Error("the terminal is not restored")
	}
	if shown := w.shown(); strings.Contains(shown, "more") || !strings.Contains(shown, "\x1b[?1000l") || strings.Contains(shown, "last") {
		t.Errorf("%q", shown)
	}
}
