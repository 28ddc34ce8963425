//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// editing is what bash says before and after every line it reads, and ash's
// question where the cursor is.
var editing = regexp.MustCompile(`\x1b\[\?2004[hl]|\x1b\[6n`)

// console is a terminal with a program on it, as a person has it before him.
type console struct {
	t      testing.TB
	master *os.File
	cmd    *exec.Cmd
	ended  chan struct{}
	found  unix.Termios // the terminal's settings before the program began

	mu   sync.Mutex
	seen []byte // all that was shown and not yet expected
	all  []byte
}

// openPTY gives the two ends of a new terminal of 24 rows and 80 columns.
func openPTY(t testing.TB) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// newConsole starts argv on a terminal of its own.
func newConsole(t testing.TB, rows, cols uint16, argv ...string) *console {
	t.Helper()
	master, slave := openPTY(t)
	c := &console{t: t, master: master, ended: make(chan struct{})}
	c.size(rows, cols)
	c.found = c.modes()
	c.cmd = exec.Command(argv[0], argv[1:]...)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = slave, slave, slave
	c.cmd.Env = append(os.Environ(), "TERM=xterm")
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The slave stays open here, so that the modes can be judged at the end.
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		<-c.ended
		slave.Close()
		master.Close()
	})
	go c.read()
	go func() { _ = c.cmd.Wait(); close(c.ended) }()
	return c
}

// sshConsole is a person who types `ssh -tt HOST ARGS` at 24x80.
func sshConsole(t testing.TB, a *account, args ...string) *console {
	t.Helper()
	argv := sshArgv(a, append([]string{"-tt"}, destination(args)...)...)
	return newConsole(t, 24, 80, argv...)
}

func (c *console) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.master.Read(buf)
		c.mu.Lock()
		c.seen = append(c.seen, buf[:n]...)
		c.all = append(c.all, buf[:n]...)
		c.mu.Unlock()
		if err == nil {
			continue
		}
		select {
		case <-c.ended:
			return
		case <-time.After(5 * time.Millisecond): // login(1) hangs its terminal up and opens it again
		}
	}
}

// send types.
func (c *console) send(text string) {
	c.t.Helper()
	if _, err := c.master.WriteString(text); err != nil {
		c.t.Fatal(err)
	}
}

// expect waits for a text that matches, drops all up to its end and gives its
// submatches.
func (c *console) expect(pattern string) []string {
	c.t.Helper()
	found, err := c.find(pattern, limit)
	if err != nil {
		c.t.Fatal(err)
	}
	return found
}

func (c *console) find(pattern string, limit time.Duration) ([]string, error) {
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		c.mu.Lock()
		c.seen = editing.ReplaceAll(c.seen, nil)
		if at := re.FindSubmatchIndex(c.seen); at != nil {
			found := make([]string, 0, len(at)/2)
			for i := 0; i < len(at); i += 2 {
				found = append(found, string(c.seen[at[i]:at[i+1]]))
			}
			c.seen = c.seen[at[1]:]
			c.mu.Unlock()
			return found, nil
		}
		seen := string(c.seen)
		c.mu.Unlock()
		if time.Now().After(end) {
			return nil, fmt.Errorf("no %q on the terminal within %v but %.2000q", pattern, limit, seen)
		}
	}
}

// line types a command line and a return.
func (c *console) line(text string) {
	c.t.Helper()
	c.send(text + "\r")
}

// shown is everything the terminal ever showed.
func (c *console) shown() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.all)
}

// size changes the size of the window.
func (c *console) size(rows, cols uint16) {
	c.t.Helper()
	ws := &unix.Winsize{Row: rows, Col: cols}
	if err := unix.IoctlSetWinsize(int(c.master.Fd()), unix.TIOCSWINSZ, ws); err != nil {
		c.t.Fatal(err)
	}
}

// modes are the terminal's settings now.
func (c *console) modes() unix.Termios {
	c.t.Helper()
	modes, err := unix.IoctlGetTermios(int(c.master.Fd()), unix.TCGETS)
	if err != nil {
		c.t.Fatal(err)
	}
	return *modes
}

// wait waits for the end of the program and gives its status.
func (c *console) wait() int {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	select {
	case <-c.ended:
	case <-ctx.Done():
		c.t.Fatalf("the program did not end; the terminal shows %.2000q", c.shown())
	}
	// What was written before the end may still be on its way here.
	time.Sleep(50 * time.Millisecond)
	var exit *exec.ExitError
	if errors.As(c.cmd.Err, &exit) {
		return exit.ExitCode()
	}
	return c.cmd.ProcessState.ExitCode()
}

// login waits for the first prompt of a shell, and makes it one that can be
// recognized in what the terminal shows.
func (c *console) login() {
	c.t.Helper()
	c.expect(`[$#] $`)
	// The echo stays on: without it busybox's ash takes a signal for the end of
	// its input (1.35: `sleep 9`, ^Z, `bg`, and it is gone; so on the host too).
	c.line(`PS1='<'%'> '`)
	c.prompt()
}

// prompt waits for the prompt that login set.
func (c *console) prompt() {
	c.t.Helper()
	c.expect(`<%> `)
}

// run types a short command and gives what it showed up to the next prompt,
// without the first line: the echo of the command.
func (c *console) run(command string) string {
	c.t.Helper()
	c.line(command)
	return strings.TrimSpace(c.expect(`(?s)^[^\n]*\n(.*?)<%> `)[1])
}
