//go:build e2e

package terminal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestTerminalIsAllocatedOnlyWhenAsked(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.SSH(t, u, "-T", "--", "test -t 0 || test -t 1 || test -t 2 || echo none").Want(t, "none\n", "", 0)
		// A client without a terminal does not ask for one with -t.
		e2e.SSH(t, u, "-t", "--", "test -t 0 || echo none").Want(t, "none\n", "", 0)
		e2e.SSH(t, u, "-tt", "--", "test -t 0 && test -t 1 && test -t 2 && echo all").Want(t, "all\r\n", "", 0)
	})
}

func TestClientOnATerminalGetsATerminal(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.NewConsole(t, 24, 80, e2e.SSHArgv(u, "-t", "127.0.0.1", "test -t 0 && echo yes; exit 9")...)
		c.Expect("yes")
		if status := c.Wait(); status != 9 {
			t.Errorf("status %d, want 9", status)
		}
	})
}

func TestTTYNamesATerminalThatExists(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		r := e2e.SSH(t, u, "-tt", "--", `t=$(tty) && test -c "$t" && echo "$t" && echo through >"$t"`)
		if !regexp.MustCompile(`^/dev/pts/\d+\r\nthrough\r\n$`).MatchString(r.Stdout) || r.Status != 0 {
			t.Errorf("%q, %d", r.Stdout, r.Status)
		}
	})
}

func TestWindowSizeIsRightFromTheFirstByte(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		for _, size := range [][2]uint16{{24, 80}, {41, 133}, {3, 1000}} {
			c := e2e.NewConsole(t, size[0], size[1], e2e.SSHArgv(u, "-tt", "127.0.0.1", "stty size")...)
			want := strconv.Itoa(int(size[0])) + " " + strconv.Itoa(int(size[1]))
			c.Expect(`(?m)(?:^|\x1b\[K)` + want + `\r$`) // after a line about a container that is made
			c.Wait()
		}
	})
}

func TestWindowSizeFollowsEveryResize(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.SSHConsole(t, u)
		c.FirstPrompt()
		for _, size := range [][2]uint16{{30, 90}, {50, 200}, {24, 80}} {
			c.Resize(size[0], size[1])
			want := strconv.Itoa(int(size[0])) + " " + strconv.Itoa(int(size[1]))
			e2e.Eventually(t, "size "+want, func() bool { return c.Run("stty size") == want })
		}
		// Without job control everything is in the foreground.
		c.Line(`exec sh -c 'trap "stty size; exit 3" WINCH; echo rea\dy; while :; do sleep 0.1; done'`)
		c.Expect("ready")
		c.Resize(33, 77)
		c.Expect("33 77")
		if status := c.Wait(); status != 3 {
			t.Errorf("status %d, want 3", status)
		}
	})
}

// As under sshd itself, which reads both from one connection: a program that reacts to a key
// draws for the window that the key was typed in. The client is in Go, because ssh(1) itself can
// send a key before the size that a signal announces.
func TestKeyTypedAfterAResizeMeetsTheNewSize(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		s := e2e.GoSession(t, u)
		stop := time.AfterFunc(2*e2e.Limit, func() { _ = s.Close() })
		defer stop.Stop()
		keys, err1 := s.StdinPipe()
		out, err2 := s.StdoutPipe()
		err3 := s.RequestPty("xterm", 24, 80, nil)
		// Not with readline, which writes the size that it has read back to the terminal.
		err4 := s.Start("exec sh -c 'stty -echo; echo rea\\dy; while read x; do stty size; done'")
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		next := func() string {
			if !lines.Scan() {
				t.Fatal("the session is over: ", lines.Err())
			}
			return strings.TrimSpace(lines.Text())
		}
		for !strings.HasSuffix(next(), "ready") { // behind a line about a container that is made
		}
		for i := range 200 {
			rows, cols := 20+i%17, 80+i%23
			if err := s.WindowChange(rows, cols); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(keys, "x\r"); err != nil {
				t.Fatal(err)
			}
			if got, want := next(), fmt.Sprintf("%d %d", rows, cols); got != want {
				t.Fatalf("%d: %q, want %s", i, got, want)
			}
		}
		_, _ = io.WriteString(keys, "\x04")
		_ = s.Wait()
	})
}

func TestTERMIsTheClients(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		if got := e2e.SSH(t, u, "-tt", "--", "echo $TERM"); strings.TrimSpace(got.Stdout) == "" {
			t.Errorf("TERM is empty: %q", got.Stdout)
		}
		c := e2e.SSHConsole(t, u, "echo", "[$TERM]")
		c.Expect(`\[xterm\]`)
	})
}

func TestTERMThatTheImageDoesNotKnowIsReplaced(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	login := func(u *e2e.Account, term string, args ...string) []string {
		return append([]string{"/usr/bin/env", "TERM=" + term}, e2e.SSHArgv(u, append([]string{"-tt", "127.0.0.1"}, args...)...)...)
	}
	const line = "dockersh: this image does not know the terminal xterm-kitty, so TERM is xterm-256color"
	// On the host only an administrator can do something about it.
	for _, u := range []*e2e.Account{e2e.Boxed, e2e.Recorded} {
		if e2e.Door == "direct" && u == e2e.Recorded {
			continue // nothing is recorded there
		}
		c := e2e.NewConsole(t, 24, 80, login(u, "xterm-kitty", "echo $TERM $(tput colors)")...)
		if c.Wait(); c.Shown() != "xterm-256color 256\r\n" {
			t.Errorf("a command: %q", c.Shown())
		}
		c = e2e.NewConsole(t, 24, 80, login(u, "xterm-kitty")...)
		c.Expect(line)
		c.FirstPrompt()
	}
	for _, c := range []struct {
		u          *e2e.Account
		term, want string
	}{
		{e2e.Plain, "xterm-kitty", "xterm-kitty"}, {e2e.Tiny, "xterm-kitty", "xterm-kitty"}, // busybox has no terminfo
		{e2e.Plain, "vt100", "vt100"}, {e2e.Boxed, "vt100", "vt100"}, {e2e.Boxed, "dumb", "dumb"},
	} {
		console := e2e.NewConsole(t, 24, 80, login(c.u, c.term, "echo $TERM")...)
		if console.Wait(); console.Shown() != c.want+"\r\n" {
			t.Errorf("%s with TERM=%s: %q", c.u.Name, c.term, console.Shown())
		}
	}
}

func TestLastBytesOfATerminalArrive(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		for range 5 {
			r := e2e.SSH(t, u, "-tt", "--", "head -c 200000 /dev/zero | tr '\\0' x; printf END; exit 6")
			if len(r.Stdout) != 200_003 || !strings.HasSuffix(r.Stdout, "xEND") || r.Status != 6 {
				t.Errorf("%d bytes, end %q, status %d", len(r.Stdout), r.Stdout[max(0, len(r.Stdout)-8):], r.Status)
			}
		}
	})
}

func TestTerminalAccepts200kB(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	const lines = 2000
	input := strings.Repeat(strings.Repeat("y", 99)+"\n", lines)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.SSHConsole(t, u, "stty -echo; echo go; head -n", strconv.Itoa(lines), "| wc -c; exit 0")
		c.Expect("go\r\n")
		go func() { _, _ = c.Master.WriteString(input) }()
		c.Expect(`(?m)^200000\r$`)
	})
}

func TestTerminalCarriesUTF8(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.SSHConsole(t, u, "stty -echo; echo go; cat")
		c.Expect("go\r\n")
		c.Send("Grüße, 世界 🐚\r\x04")
		c.Expect("Grüße, 世界 🐚\r\n")
		if status := c.Wait(); status != 0 {
			t.Errorf("status %d", status)
		}
	})
}

func TestRawTerminalCarriesEveryByte(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.SSHConsole(t, u, "stty raw -echo; echo go; head -c 255 | od -An -v -tu1 | tr -s ' \\n' ' '; echo end")
		c.Expect("go\n")
		// ssh's escape is a tilde after a newline, which bytes in falling order never
		// make. Byte 0 is left out.
		var all strings.Builder
		for i := 255; i > 0; i-- {
			all.WriteByte(byte(i))
		}
		c.Send(all.String())
		got := strings.Fields(c.Expect(`(?s)^\s*(.*)end`)[1])
		if len(got) != 255 {
			t.Fatalf("%d numbers: %q", len(got), got)
		}
		for i, s := range got {
			if s != strconv.Itoa(255-i) {
				t.Errorf("byte %d is %s, want %d", i, s, 255-i)
			}
		}
	})
}
