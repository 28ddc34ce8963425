//go:build e2e

package recording

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/proto/asciicast"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/test/e2e"
)

func TestWatchShowsALiveSessionUntilItsEnd(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	u := e2e.NewRecordedUser(t)
	name := u.Name + "_dockersh"
	c := e2e.LiveSession(t, u)
	c.Run("echo befo\\re")
	w := e2e.CtlConsole(t, "watch", name)
	w.Expect("before\r\n")
	c.Run("echo mean\\while")
	w.Expect("meanwhile\r\n")
	w.Send("echo typed by the watcher\r")
	c.Resize(50, 200)
	c.Run("stty size")
	w.Expect("50 rows and 200 columns, this one has 24 and 80")
	c.Line("echo last wor\\ds; exit")
	w.Expect("last words\r\n")
	w.Expect("the session has ended")
	if status := w.Wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	if w.Modes() != w.Before {
		t.Error("the terminal is not restored")
	}
	c.Wait()
	if strings.Contains(c.Shown(), "watcher") {
		t.Error("what the watcher typed is in the session")
	}
}

func TestWatchEndsAtCtrlCAndTheSessionGoesOn(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	u := e2e.NewRecordedUser(t)
	c := e2e.LiveSession(t, u)
	w := e2e.CtlConsole(t, "watch", u.Name+"_dockersh")
	w.Expect("<%> ")
	w.Send("\x03")
	if status := w.Wait(); status != 0 || w.Modes() != w.Before {
		t.Errorf("status %d; %q", status, w.Shown())
	}
	if got := c.Run("echo here"); got != "here" {
		t.Errorf("%q", got)
	}
}

func TestWatchSaysWhyASessionCannotBeWatched(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "dockershctl finds the state of root brokers only")
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	name := u.Name + "_dockersh"
	if out, errs, status := e2e.Ctl(t, "watch", name); status != 1 || out != "" || !strings.Contains(errs, "is not recorded") || !strings.Contains(errs, "hint: ") || !strings.Contains(errs, "record") {
		t.Errorf("%d %q %q", status, out, errs)
	}
	if _, errs, status := e2e.Ctl(t, "watch", "nothing-of-that-name"); status != 1 || !strings.Contains(errs, "no live session") {
		t.Errorf("%d %q", status, errs)
	}
	u.Configure(t, "record = "+e2e.Recordings+"/%u/%x.cast")
	d, e := e2e.LiveSession(t, u), e2e.LiveSession(t, u)
	d.Run("echo I am \\d")
	e.Run("echo I am \\e")
	_, errs, status := e2e.Ctl(t, "watch", name)
	if status != 1 || !strings.Contains(errs, "2 sessions in "+name+" are recorded") {
		t.Errorf("%d %q", status, errs)
	}
	ids := map[string]string{}
	for _, r := range state.RunDir(e2e.RunDir).Sessions().Live() {
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
		w := e2e.CtlConsole(t, "watch", id)
		w.Expect(map[bool]string{true: "I am d", false: "I am e"}[strings.Contains(shown, "I am d")])
	}
	for _, c := range []*e2e.Console{c, d, e} {
		c.Line("exit")
		c.Wait()
	}
	e2e.Eventually(t, "nothing is left of them", func() bool {
		left, _ := os.ReadDir(e2e.RunDir + "/s")
		for _, f := range left {
			if strings.HasSuffix(f.Name(), ".cast") && ids[strings.TrimSuffix(f.Name(), ".cast")] != "" {
				return false
			}
		}
		return true
	})
}

// longRecording writes a recording of two texts with a long pause between them. The first
// asks the terminal for an answer.
func longRecording(t *testing.T) string {
	b := asciicast.AppendHeader(nil, asciicast.Header{Width: 80, Height: 24})
	b = asciicast.AppendEvent(b, 0, asciicast.Output, "first\r\n\x1b[c\x1b[31m\x1b[?1000h")
	b = asciicast.AppendEvent(b, 1000*time.Second, asciicast.Marker, "no output")
	b = asciicast.AppendEvent(b, 2000*time.Second, asciicast.Output, "last\r\n")
	path := e2e.Scratch + "/long.cast"
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReplayKeepsTheTimeThatItsOptionsSet(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	tape := longRecording(t)
	for _, c := range []struct {
		args  []string
		least time.Duration
	}{
		{[]string{"--speed", "2000"}, time.Second},
		{[]string{"--idle-limit=0.4"}, 800 * time.Millisecond},
		{[]string{"--speed=4", "--idle-limit", "2"}, time.Second},
	} {
		begun := time.Now()
		out, errs, status := e2e.Ctl(t, append(append([]string{"replay"}, c.args...), tape)...)
		if took := time.Since(begun); took < c.least || took > e2e.Limit {
			t.Errorf("%q took %v, want at least %v", c.args, took, c.least)
		}
		if out != "first\r\n\x1b[c\x1b[31m\x1b[?1000hlast\r\n" || errs != "" || status != 0 {
			t.Errorf("%q: %q %q %d", c.args, out, errs, status)
		}
	}
	for _, args := range [][]string{{"replay"}, {"replay", "a", "b"}, {"replay", "--speed", "0", tape}, {"replay", "--speed"}, {"replay", "-x", tape}, {"watch"}, {"watch", "--json", "x"}} {
		if out, errs, status := e2e.Ctl(t, args...); status != 2 || out != "" || !strings.Contains(errs, "hint:") {
			t.Errorf("%q: %d %q %q", args, status, out, errs)
		}
	}
	if _, errs, status := e2e.Ctl(t, "replay", "/etc/passwd"); status != 1 || !strings.Contains(errs, "/etc/passwd: line 1: not a recording") {
		t.Errorf("%d %q", status, errs)
	}
}

// A terminal's answer to a recording must not be typed into the shell.
func TestReplayTakesTheTerminalAndRestoresIt(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	w := e2e.CtlConsole(t, "replay", longRecording(t))
	w.Expect("first")
	w.Send("\x1b[?62;c and more\r")
	w.Send("\x03")
	if status := w.Wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	if w.Modes() != w.Before {
		t.Error("the terminal is not restored")
	}
	if shown := w.Shown(); strings.Contains(shown, "more") || !strings.Contains(shown, "\x1b[?1000l") || strings.Contains(shown, "last") {
		t.Errorf("%q", shown)
	}
}
