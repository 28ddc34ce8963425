//go:build e2e

package e2e

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

	"github.com/hinshun/vt10x"
	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/asciicast"
)

// recordings is where the tests' recordings are.
const recordings = "/run/recordings"

// newRecorded is a user whose terminals are recorded.
func newRecorded(t testing.TB, lines ...string) *account {
	t.Helper()
	privileged(t, "without root's rights nothing is recorded")
	return newUser(t, front, append([]string{"record = " + recordings + "/%u/%x.cast"}, lines...)...)
}

// tapes are the recordings of an account, the oldest first.
func (a *account) tapes(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob(recordings + "/" + a.name + "/*.cast")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// tape is the account's one recording.
func (a *account) tape(t testing.TB) string {
	t.Helper()
	all := a.tapes(t)
	if len(all) != 1 {
		t.Fatalf("%d recordings, want 1: %q", len(all), all)
	}
	return all[0]
}

// events reads a recording to its end.
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

// output is what the terminal showed, by the recording.
func output(all []asciicast.Event) string {
	var b strings.Builder
	for _, e := range all {
		if e.Kind == asciicast.Output {
			b.WriteString(e.Data)
		}
	}
	return b.String()
}

// screen is what a terminal of that size shows at last.
func screen(rows, cols int, shown string) string {
	vt := vt10x.New(vt10x.WithSize(cols, rows), vt10x.WithWriter(io.Discard))
	_, _ = vt.Write([]byte(shown))
	return vt.String()
}

func TestARecordingIsWhatTheTerminalShowed(t *testing.T) {
	u := newRecorded(t)
	works(t, u) // nothing is shown of the making of the container
	c := live(t, u)
	if got := c.run("echo Grüße, 世界 🐚"); got != "Grüße, 世界 🐚" {
		t.Errorf("%q", got)
	}
	c.line("exit 7")
	if status := c.wait(); status != 7 {
		t.Errorf("status %d, want 7", status)
	}
	h, all := events(t, u.tape(t))
	if h.Width != 80 || h.Height != 24 || h.Env["TERM"] != "xterm" || h.Env["SHELL"] != "/bin/ash" || time.Since(time.Unix(h.Timestamp, 0)) > time.Hour ||
		h.Title != u.name+" in "+u.name+"_dockersh" {
		t.Errorf("%+v", h)
	}
	if got := output(all); got != c.shown() {
		t.Errorf("recorded\n%q\nand shown\n%q", got, c.shown())
	}
}

func TestInputIsNotRecorded(t *testing.T) {
	u := newRecorded(t)
	c := live(t, u)
	c.line("stty -echo; echo go; read secret; stty echo; echo got ${#secret}")
	c.expect("go\r\n")
	c.line("correct horse")
	c.expect("got 13")
	c.line("exit")
	c.wait()
	data, err := os.ReadFile(u.tape(t))
	if err != nil || strings.Contains(string(data), "horse") {
		t.Errorf("%v: %s", err, data)
	}
}

// The same to the last cell: an editor uses all of a terminal.
func TestARecordedEditorIsPlayedToTheSameScreen(t *testing.T) {
	u := newRecorded(t, "imagename = dsh-debian", "shell = /bin/bash", "volume = /usr/bin/vim.tiny:/usr/bin/vim.tiny:ro")
	c := live(t, u)
	c.run("seq 1000 >/tmp/x")
	c.line("vim.tiny -u NONE /tmp/x")
	c.expect("999L|1000L|1000 lines|All|Top")
	c.send("500G")
	c.expect("500")
	c.send("3ohello, vim\x1b")
	c.expect("hello")
	c.size(40, 120)
	c.send(":set number\r")
	c.expect("517")
	c.send("dd:/97\r")
	time.Sleep(time.Second)
	c.send("oLAST-LINE\x1b")
	c.expect("LAST-LINE")
	time.Sleep(time.Second)
	tape := u.tape(t)
	_, all := events(t, tape)
	live := screen(40, 120, c.shown())
	if !strings.Contains(live, "LAST-LINE") || screen(40, 120, output(all)) != live {
		t.Errorf("recorded\n%s\nlive\n%s", screen(40, 120, output(all)), live)
	}
	played, errs, status := ctl(t, "replay", "--speed", "1000", tape)
	if status != 0 || screen(40, 120, played) != live {
		t.Errorf("%d %q: played\n%s\nlive\n%s", status, errs, screen(40, 120, played), live)
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
	c.send(":q!\r")
	c.prompt()
}

func TestEveryRecordingHasAFileOfItsOwnThatUsersCannotTouch(t *testing.T) {
	u := newRecorded(t)
	u.reset(t, "record = "+recordings+"/%u/all.cast")
	for range 2 {
		c := live(t, u)
		c.line("exit")
		c.wait()
	}
	if got := u.tapes(t); len(got) != 2 || filepath.Base(got[0]) != "all.2.cast" || filepath.Base(got[1]) != "all.cast" {
		t.Fatalf("%q", got)
	}
	for path, want := range map[string]string{recordings: "700 0", filepath.Dir(u.tapes(t)[0]): "700 0", u.tapes(t)[0]: "600 0"} {
		if got := run(t, "stat", "-c", "%a %u", path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	for _, try := range []string{"cat", "rm", "touch"} {
		if out, err := asUserOf(u, append(strings.Fields(try), u.tapes(t)[0])...).CombinedOutput(); err == nil {
			t.Errorf("%s: %s", try, out)
		}
	}
	if len(u.tapes(t)) != 2 {
		t.Error("a user removed his recording")
	}
	u.reset(t, "record = "+recordings+"/%u/all.cast", "enableuserconfig")
	u.file(t, ".dockersh", "[dockersh]\nrecord =\n", 0o644)
	ssh(t, u, "true").refused(t, "record", ".dockersh:2")
}

func TestWhatCannotBeRecordedIsNoSession(t *testing.T) {
	u := newRecorded(t)
	works(t, u)
	dir := homes + "/" + u.name + "/mine"
	run(t, "install", "-d", "-o", u.name, dir)
	u.reset(t, "record = "+dir+"/%x.cast")
	r := ssh(t, u, "-tt", "--", "true")
	if r.status != 255 || !strings.Contains(r.stdout+r.stderr, "this session cannot be recorded") {
		t.Errorf("%+v", r)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	// A disk without room for the first line.
	full := "/srv/full-" + u.name
	run(t, "sh", "-c", "mkdir "+full+" && mount -t tmpfs -o mode=755,size=4k apart "+full+" && head -c 4096 /dev/zero >"+full+"/x")
	t.Cleanup(func() { run(t, "umount", full) })
	u.reset(t, "record = "+full+"/%x.cast")
	r = ssh(t, u, "-tt", "--", "true")
	if r.status != 255 || !strings.Contains(r.stdout+r.stderr, "this session cannot be recorded") {
		t.Errorf("%+v", r)
	}
	works(t, u) // without a terminal
}

func TestWithoutRootsRightsNothingIsRecorded(t *testing.T) {
	if door != "direct" {
		t.Skip("only the direct door gives a broker without them")
	}
	u := newBoxed(t, "record = "+recordings+"/%u/%x.cast")
	if r := ssh(t, u, "-tt", "--", "true"); r.status != 255 || !strings.Contains(r.stdout+r.stderr, "no dockersh service runs") {
		t.Errorf("%+v", r)
	}
	works(t, u)
}

func TestWithoutATerminalNothingIsRecorded(t *testing.T) {
	u := newRecorded(t)
	works(t, u)
	if got := u.tapes(t); len(got) != 0 {
		t.Errorf("%q", got)
	}
	ssh(t, u, "-tt", "--", "echo hello; exit 3").want(t, "hello\r\n", "", 3)
	if _, all := events(t, u.tape(t)); output(all) != "hello\r\n" {
		t.Errorf("%q", all)
	}
}

func TestBinaryOutputIsRecordedAsFarAsTheFormatCan(t *testing.T) {
	u := newRecorded(t)
	works(t, u) // else the terminal may show that the container is being made
	r := ssh(t, u, "-tt", "--", "stty raw; head -c 300000 /dev/urandom; printf 'END\\377'")
	if len(r.stdout) != 300_004 || r.status != 0 {
		t.Fatalf("%d bytes, status %d", len(r.stdout), r.status)
	}
	_, all := events(t, u.tape(t))
	if want := string([]rune(r.stdout)); output(all) != want {
		t.Errorf("%d characters are recorded, want %d", len(output(all)), len(want))
	}
}

func TestARecordingHasEverythingUntilAKill(t *testing.T) {
	for what, kill := range map[string]func(t *testing.T, u *account){
		"front": func(t *testing.T, u *account) { _ = syscall.Kill(processOf(t, u, front), syscall.SIGKILL) },
		"bridge": func(t *testing.T, u *account) {
			for _, pid := range bridges() {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		},
		"agent": func(t *testing.T, u *account) { run(t, "docker", "kill", u.container(t)) },
	} {
		t.Run(what, func(t *testing.T) {
			u := newRecorded(t)
			c := live(t, u)
			mark := fmt.Sprintf("sleep %d44", u.uid)
			c.line("echo until he\\re; " + mark)
			c.expect("until here")
			eventually(t, "the command runs", func() bool { return argsRun(mark) })
			kill(t, u)
			if what == "front" {
				c.wait()
			} else {
				c.lost()
			}
			eventually(t, "the command is hung up", func() bool { return !argsRun(mark) })
			eventually(t, "no bridge is left", func() bool { return !runsProgram(bridge) })
			if _, all := events(t, u.tape(t)); !strings.HasSuffix(output(all), "until here\r\n") {
				t.Errorf("%q", output(all))
			}
			works(t, u)
		})
	}
}

func TestTheBridgeOfARecordedSessionHasNothingElse(t *testing.T) {
	u := newRecorded(t)
	c := live(t, u)
	bridgeHasOnly(t, u.tape(t), "/dev/ptmx")
	c.line("exit")
	c.wait()
	eventually(t, "no bridge is left", func() bool { return !runsProgram(bridge) })
}

func TestAFullDiskLeavesAGapAndTheSessionAlone(t *testing.T) {
	u := newRecorded(t)
	dir := "/srv/small-" + u.name
	run(t, "sh", "-c", "mkdir "+dir+" && mount -t tmpfs -o mode=755,size=256k apart "+dir)
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	u.reset(t, "record = "+dir+"/x.cast")
	c := live(t, u)
	c.line("yes 0123456789 | head -c 2000000; echo all th\\ere")
	c.expect("all there")
	c.prompt()
	if got := c.run("echo $((6*7))"); got != "42" {
		t.Errorf("%q", got)
	}
	events(t, dir+"/x.cast") // whole lines only
	if door == "service" {
		log := broker.log()
		if n := strings.Count(log, "the session cannot be recorded for now"); n != 1 || !strings.Contains(log, "no space left") {
			t.Errorf("%d lines in the log", n)
		}
	}
	c.size(30, 90)
	run(t, "mount", "-o", "remount,size=8m", dir)
	eventually(t, "it goes on", func() bool {
		c.run("echo again")
		_, all := events(t, dir+"/x.cast")
		return strings.Contains(output(all[len(all)-1:]), "<%> ") && strings.Contains(output(all), "\r\nagain\r\n")
	})
	_, all := events(t, dir+"/x.cast")
	marks := 0
	for i, e := range all {
		if e.Kind == asciicast.Marker {
			marks++
			if !strings.Contains(e.Data, "could not be recorded") || all[i+1].Kind != asciicast.Resize || all[i+1].Data != "90x30" {
				t.Errorf("%+v, %+v", e, all[i+1])
			}
		}
	}
	if marks != 1 {
		t.Errorf("%d marks of a gap, want 1", marks)
	}
	c.line("exit 5")
	if status := c.wait(); status != 5 {
		t.Errorf("status %d", status)
	}
}

// What users see of a terminal is the same as without a recording, and so with
// containers that have no agent.
func TestSessionsOverTheStreamAreRecorded(t *testing.T) {
	eachStreamed(t, func(t *testing.T, u *account) {
		sections.Lock()
		was := sections.lines[`user "`+u.name+`"`]
		sections.Unlock()
		u.reset(t, append([]string{"record = " + recordings + "/%u/%x.cast"}, was...)...)
		t.Cleanup(func() { u.reset(t, was...) })
		works(t, u) // nothing is shown of the making of the container
		c := live(t, u)
		c.size(31, 101)
		eventually(t, "the new size", func() bool { return c.run("stty size") == "31 101" })
		c.line("exit 9")
		if status := c.wait(); status != 9 {
			t.Errorf("status %d", status)
		}
		_, all := events(t, u.tape(t))
		if output(all) != c.shown() {
			t.Errorf("recorded\n%q\nshown\n%q", output(all), c.shown())
		}
	})
}
