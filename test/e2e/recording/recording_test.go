//go:build e2e

package recording

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/asciicast"
	"github.com/dockersh/dockersh/test/e2e"
)

// recordingsOf returns the recordings of an account, the oldest first.
func recordingsOf(t testing.TB, a *e2e.Account) []string {
	t.Helper()
	all, err := filepath.Glob(e2e.Recordings + "/" + a.Name + "/*.cast")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// recordingOf returns the account's only recording.
func recordingOf(t testing.TB, a *e2e.Account) string {
	t.Helper()
	all := recordingsOf(t, a)
	if len(all) != 1 {
		t.Fatalf("%d recordings, want 1: %q", len(all), all)
	}
	return all[0]
}

// events reads a whole recording.
func events(t testing.TB, path string) (h asciicast.Header, all []asciicast.Event) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := asciicast.NewDecoder(f)
	if h, err = d.Header(); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for {
		e, err := d.Next()
		if errors.Is(err, io.EOF) {
			return h, all
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if n := len(all); n > 0 && e.At < all[n-1].At {
			t.Errorf("%s: event %d is before the last", path, n)
		}
		all = append(all, e)
	}
}

// output returns what the terminal showed according to the recording.
func output(all []asciicast.Event) string {
	var b strings.Builder
	for _, e := range all {
		if e.Kind == asciicast.Output {
			b.WriteString(e.Data)
		}
	}
	return b.String()
}

func TestRecordingIsWhatTheTerminalShowed(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	u := e2e.NewRecordedUser(t)
	e2e.CanLogIn(t, u) // so that the terminal shows nothing of making the container
	c := e2e.LiveSession(t, u)
	if got := c.Run("echo Grüße, 世界 🐚"); got != "Grüße, 世界 🐚" {
		t.Errorf("%q", got)
	}
	c.Line("exit 7")
	if status := c.Wait(); status != 7 {
		t.Errorf("status %d, want 7", status)
	}
	h, all := events(t, recordingOf(t, u))
	if h.Width != 80 || h.Height != 24 || h.Env["TERM"] != "xterm" || h.Env["SHELL"] != "/bin/ash" || time.Since(time.Unix(h.Timestamp, 0)) > time.Hour ||
		h.Title != u.Name+" in "+u.Name+"_dockersh" {
		t.Errorf("%+v", h)
	}
	if got := output(all); got != c.Shown() {
		t.Errorf("recorded\n%q\nand shown\n%q", got, c.Shown())
	}
}

func TestInputIsNotRecorded(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	u := e2e.NewRecordedUser(t)
	c := e2e.LiveSession(t, u)
	c.Line("stty -echo; echo go; read secret; stty echo; echo got ${#secret}")
	c.Expect("go\r\n")
	c.Line("correct horse")
	c.Expect("got 13")
	c.Line("exit")
	c.Wait()
	data, err := os.ReadFile(recordingOf(t, u))
	if err != nil || strings.Contains(string(data), "horse") {
		t.Errorf("%v: %s", err, data)
	}
}

// An editor uses everything that a terminal has.
func TestReplayOfAnEditorEndsWithTheSameScreen(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	u := e2e.NewRecordedUser(t, "imagename = dsh-debian", "shell = /bin/bash", "volume = /usr/bin/vim.tiny:/usr/bin/vim.tiny:ro")
	c := e2e.LiveSession(t, u)
	c.Run("seq 1000 >/tmp/x")
	c.Line("vim.tiny -u NONE /tmp/x")
	c.Expect("999L|1000L|1000 lines|All|Top")
	c.Send("500G")
	c.Expect("500")
	c.Send("3ohello, vim\x1b")
	c.Send(":set ruler?\r")
	c.Expect("noruler") // has drawn everything: vim forgets a new size that comes while it draws
	c.Resize(40, 120)
	c.Expect("514")
	c.Send(":set number\r")
	c.Expect("517 .*514")
	c.Send("dd:/97\r")
	time.Sleep(time.Second)
	c.Send("oLAST-LINE\x1b")
	c.Expect("LAST-LINE")
	time.Sleep(time.Second)
	tape := recordingOf(t, u)
	_, all := events(t, tape)
	live := e2e.ScreenOf(40, 120, c.Shown())
	if !strings.Contains(live, "LAST-LINE") || e2e.ScreenOf(40, 120, output(all)) != live {
		t.Errorf("recorded\n%s\nlive\n%s", e2e.ScreenOf(40, 120, output(all)), live)
	}
	played, errs, status := e2e.Ctl(t, "replay", "--speed", "1000", tape)
	if status != 0 || e2e.ScreenOf(40, 120, played) != live {
		t.Errorf("%d %q: played\n%s\nlive\n%s", status, errs, e2e.ScreenOf(40, 120, played), live)
	}
	var sizes []string
	for _, e := range all {
		if e.Kind == asciicast.Resize {
			sizes = append(sizes, e.Data)
		}
	}
	if strings.Join(sizes, " ") != "120x40" {
		t.Errorf("sizes %q", sizes)
	}
	c.Send(":q!\r")
	c.Prompt()
}

func TestEachRecordingHasItsOwnFileThatUsersCannotTouch(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	u := e2e.NewRecordedUser(t)
	u.Configure(t, "record = "+e2e.Recordings+"/%u/all.cast")
	for range 2 {
		c := e2e.LiveSession(t, u)
		c.Line("exit")
		c.Wait()
	}
	if got := recordingsOf(t, u); len(got) != 2 || filepath.Base(got[0]) != "all.2.cast" || filepath.Base(got[1]) != "all.cast" {
		t.Fatalf("%q", got)
	}
	for path, want := range map[string]string{e2e.Recordings: "700 0", filepath.Dir(recordingsOf(t, u)[0]): "700 0", recordingsOf(t, u)[0]: "600 0"} {
		if got := e2e.OnHost(t, "stat", "-c", "%a %u", path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	for _, try := range []string{"cat", "rm", "touch"} {
		if out, err := e2e.AsUser(u, append(strings.Fields(try), recordingsOf(t, u)[0])...).CombinedOutput(); err == nil {
			t.Errorf("%s: %s", try, out)
		}
	}
	if len(recordingsOf(t, u)) != 2 {
		t.Error("a user removed their recording")
	}
	u.Configure(t, "record = "+e2e.Recordings+"/%u/all.cast", "enableuserconfig")
	u.WriteFile(t, ".dockersh", "[dockersh]\nrecord =\n", 0o644)
	e2e.SSH(t, u, "true").Ignored(t, "record", ".dockersh:2")
}

func TestSessionThatCannotBeRecordedIsRefused(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	u := e2e.NewRecordedUser(t)
	e2e.CanLogIn(t, u)
	dir := e2e.Homes + "/" + u.Name + "/mine"
	e2e.OnHost(t, "install", "-d", "-o", u.Name, dir)
	u.Configure(t, "record = "+dir+"/%x.cast")
	r := e2e.SSH(t, u, "-tt", "--", "true")
	if r.Status != 255 || !strings.Contains(r.Stdout+r.Stderr, "this session cannot be recorded") {
		t.Errorf("%+v", r)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	// A disk has no room for the first line.
	full := "/srv/full-" + u.Name
	e2e.OnHost(t, "sh", "-c", "mkdir "+full+" && mount -t tmpfs -o mode=755,size=4k apart "+full+" && head -c 4096 /dev/zero >"+full+"/x")
	t.Cleanup(func() { e2e.OnHost(t, "umount", full) })
	u.Configure(t, "record = "+full+"/%x.cast")
	r = e2e.SSH(t, u, "-tt", "--", "true")
	if r.Status != 255 || !strings.Contains(r.Stdout+r.Stderr, "this session cannot be recorded") {
		t.Errorf("%+v", r)
	}
	e2e.CanLogIn(t, u) // without a terminal, and so without a recording
}

func TestDirectDoorRefusesToRecord(t *testing.T) {
	e2e.Run(t, e2e.DirectDoor, "only this door has a broker that is not root")
	u := e2e.NewUser(t, "record = "+e2e.Recordings+"/%u/%x.cast")
	if r := e2e.SSH(t, u, "-tt", "--", "true"); r.Status != 255 || !strings.Contains(r.Stdout+r.Stderr, "no dockersh service runs") {
		t.Errorf("%+v", r)
	}
	e2e.CanLogIn(t, u)
}

func TestWithoutATerminalNothingIsRecorded(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	u := e2e.NewRecordedUser(t)
	e2e.CanLogIn(t, u)
	if got := recordingsOf(t, u); len(got) != 0 {
		t.Errorf("%q", got)
	}
	e2e.SSH(t, u, "-tt", "--", "echo hello; exit 3").Want(t, "hello\r\n", "", 3)
	if _, all := events(t, recordingOf(t, u)); output(all) != "hello\r\n" {
		t.Errorf("%q", all)
	}
}

func TestBinaryOutputIsRecordedAsFarAsTheFormatAllows(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	u := e2e.NewRecordedUser(t)
	e2e.CanLogIn(t, u) // so that the terminal shows nothing of making the container
	r := e2e.SSH(t, u, "-tt", "--", "stty raw; head -c 300000 /dev/urandom; printf 'END\\377'")
	if len(r.Stdout) != 300_004 || r.Status != 0 {
		t.Fatalf("%d bytes, status %d", len(r.Stdout), r.Status)
	}
	_, all := events(t, recordingOf(t, u))
	if want := string([]rune(r.Stdout)); output(all) != want {
		t.Errorf("%d characters are recorded, want %d", len(output(all)), len(want))
	}
}

func TestRecordingHasEverythingUpToAKill(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	for what, kill := range map[string]func(t *testing.T, u *e2e.Account){
		"front": func(t *testing.T, u *e2e.Account) { _ = syscall.Kill(e2e.ProcessOf(t, u, e2e.Front), syscall.SIGKILL) },
		"bridge": func(t *testing.T, u *e2e.Account) {
			for _, pid := range e2e.Bridges() {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		},
		"agent": func(t *testing.T, u *e2e.Account) { e2e.OnHost(t, "docker", "kill", u.Container(t)) },
	} {
		t.Run(what, func(t *testing.T) {
			u := e2e.NewRecordedUser(t)
			c := e2e.LiveSession(t, u)
			mark := fmt.Sprintf("sleep %d44", u.UID)
			c.Line("echo until he\\re; " + mark)
			c.Expect("until here")
			e2e.Eventually(t, "the command runs", func() bool { return e2e.CommandRuns(mark) })
			kill(t, u)
			if what == "front" {
				c.Wait()
			} else {
				c.Lost()
			}
			e2e.Eventually(t, "the command is hung up", func() bool { return !e2e.CommandRuns(mark) })
			e2e.Eventually(t, "no bridge is left", func() bool { return len(e2e.Bridges()) == 0 })
			if _, all := events(t, recordingOf(t, u)); !strings.HasSuffix(output(all), "until here\r\n") {
				t.Errorf("%q", output(all))
			}
			e2e.CanLogIn(t, u)
		})
	}
}

func TestBridgeOfARecordedSessionHasNothingElseOpen(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := e2e.NewRecordedUser(t)
	c := e2e.LiveSession(t, u)
	e2e.BridgeHasOnly(t, recordingOf(t, u), "/dev/ptmx")
	c.Line("exit")
	c.Wait()
	e2e.Eventually(t, "no bridge is left", func() bool { return len(e2e.Bridges()) == 0 })
}

func TestFullDiskLeavesAGapInTheRecordingAndTheSessionAlone(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root brokers record")
	u := e2e.NewRecordedUser(t)
	dir := "/srv/small-" + u.Name
	e2e.OnHost(t, "sh", "-c", "mkdir "+dir+" && mount -t tmpfs -o mode=755,size=256k apart "+dir)
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	u.Configure(t, "record = "+dir+"/x.cast")
	c := e2e.LiveSession(t, u)
	c.Line("yes 0123456789 | head -c 2000000; echo all th\\ere")
	c.Expect("all there")
	c.Prompt()
	if got := c.Run("echo $((6*7))"); got != "42" {
		t.Errorf("%q", got)
	}
	events(t, dir+"/x.cast") // must be whole lines
	if e2e.Door == "service" {
		log := e2e.Broker.Log()
		if n := strings.Count(log, "the session cannot be recorded for now"); n != 1 || !strings.Contains(log, "no space left") {
			t.Errorf("%d lines in the log", n)
		}
	}
	c.Resize(30, 90)
	e2e.OnHost(t, "mount", "-o", "remount,size=8m", dir)
	e2e.Eventually(t, "the recording goes on", func() bool {
		c.Run("echo again")
		_, all := events(t, dir+"/x.cast")
		return strings.Contains(output(all[len(all)-1:]), "<%> ") && strings.Contains(output(all), "\r\nagain\r\n")
	})
	_, all := events(t, dir+"/x.cast")
	markers := 0
	for i, e := range all {
		if e.Kind == asciicast.Marker {
			markers++
			if !strings.Contains(e.Data, "could not be recorded") || all[i+1].Kind != asciicast.Resize || all[i+1].Data != "90x30" {
				t.Errorf("%+v, %+v", e, all[i+1])
			}
		}
	}
	if markers != 1 {
		t.Errorf("%d markers of a gap, want 1", markers)
	}
	c.Line("exit 5")
	if status := c.Wait(); status != 5 {
		t.Errorf("status %d", status)
	}
}

func TestExecSessionsAreRecorded(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	e2e.ForEachExecUser(t, func(t *testing.T, u *e2e.Account) {
		was := u.Lines()
		u.Configure(t, append([]string{"record = " + e2e.Recordings + "/%u/%x.cast"}, was...)...)
		t.Cleanup(func() { u.Configure(t, was...) })
		e2e.CanLogIn(t, u) // so that the terminal shows nothing of making the container
		c := e2e.LiveSession(t, u)
		c.Resize(31, 101)
		e2e.Eventually(t, "the new size", func() bool { return c.Run("stty size") == "31 101" })
		c.Line("exit 9")
		if status := c.Wait(); status != 9 {
			t.Errorf("status %d", status)
		}
		_, all := events(t, recordingOf(t, u))
		if output(all) != c.Shown() {
			t.Errorf("recorded\n%q\nshown\n%q", output(all), c.Shown())
		}
	})
}
