package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"golang.org/x/sys/unix"
)

// editing matches what bash writes before and after each line it reads, and ash's
// question where the cursor is.
var editing = regexp.MustCompile(`\x1b\[\?2004[hl]|\x1b\[6n`)

// A Console is a terminal with a program on it, as a person sees it.
type Console struct {
	T      testing.TB
	Master *os.File
	Cmd    *exec.Cmd
	Ended  chan struct{}
	Before unix.Termios // the terminal's settings before the program began

	mu   sync.Mutex
	seen []byte // all that was shown and not yet expected
	all  []byte
}

// openPTY returns the two ends of a new terminal.
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

// NewConsole starts a command on a terminal of its own.
func NewConsole(t testing.TB, rows, cols uint16, argv ...string) *Console {
	t.Helper()
	master, slave := openPTY(t)
	c := &Console{T: t, Master: master, Ended: make(chan struct{})}
	c.Resize(rows, cols)
	c.Before = c.Modes()
	c.Cmd = exec.Command(argv[0], argv[1:]...)
	c.Cmd.Stdin, c.Cmd.Stdout, c.Cmd.Stderr = slave, slave, slave
	c.Cmd.Env = append(os.Environ(), "TERM=xterm")
	c.Cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The slave stays open here, so that the modes can be read at the end.
	t.Cleanup(func() {
		_ = c.Cmd.Process.Kill()
		<-c.Ended
		slave.Close()
		master.Close()
	})
	go c.read()
	go func() { _ = c.Cmd.Wait(); close(c.Ended) }()
	return c
}

// SSHConsole runs `ssh -tt HOST ARGS` on a terminal of 24 rows and 80 columns.
func SSHConsole(t testing.TB, a *Account, args ...string) *Console {
	t.Helper()
	argv := SSHArgv(a, append([]string{"-tt"}, destination(args)...)...)
	return NewConsole(t, 24, 80, argv...)
}

func (c *Console) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Master.Read(buf)
		c.mu.Lock()
		c.seen = append(c.seen, buf[:n]...)
		c.all = append(c.all, buf[:n]...)
		c.mu.Unlock()
		if err == nil {
			continue
		}
		select {
		case <-c.Ended:
			return
		case <-time.After(5 * time.Millisecond): // login(1) hangs its terminal up and opens it again
		}
	}
}

// Send types a text.
func (c *Console) Send(text string) {
	c.T.Helper()
	if _, err := c.Master.WriteString(text); err != nil {
		c.T.Fatal(err)
	}
}

// Expect waits for a text that matches, drops everything up to its end, and returns its
// submatches.
func (c *Console) Expect(pattern string) []string {
	c.T.Helper()
	found, err := c.find(pattern, Limit)
	if err != nil {
		c.T.Fatal(err)
	}
	return found
}

func (c *Console) find(pattern string, limit time.Duration) ([]string, error) {
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

// Line types a command line and a return.
func (c *Console) Line(text string) {
	c.T.Helper()
	c.Send(text + "\r")
}

// Shown returns everything that the terminal has shown.
func (c *Console) Shown() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.all)
}

// Resize changes the size of the window.
func (c *Console) Resize(rows, cols uint16) {
	c.T.Helper()
	ws := &unix.Winsize{Row: rows, Col: cols}
	if err := unix.IoctlSetWinsize(int(c.Master.Fd()), unix.TIOCSWINSZ, ws); err != nil {
		c.T.Fatal(err)
	}
}

// Modes returns the terminal's settings.
func (c *Console) Modes() unix.Termios {
	c.T.Helper()
	modes, err := unix.IoctlGetTermios(int(c.Master.Fd()), unix.TCGETS)
	if err != nil {
		c.T.Fatal(err)
	}
	return *modes
}

// Wait waits for the end of the program and returns its status.
func (c *Console) Wait() int {
	c.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	select {
	case <-c.Ended:
	case <-ctx.Done():
		c.T.Fatalf("the program did not end; the terminal shows %.2000q", c.Shown())
	}
	// What was written before the end may still be on its way here.
	time.Sleep(50 * time.Millisecond)
	var exit *exec.ExitError
	if errors.As(c.Cmd.Err, &exit) {
		return exit.ExitCode()
	}
	return c.Cmd.ProcessState.ExitCode()
}

// FirstPrompt waits for the first prompt of a shell, and sets one that can be recognized
// in what the terminal shows.
func (c *Console) FirstPrompt() {
	c.T.Helper()
	c.Expect(`[$#] $`)
	// The echo stays on: without it busybox's ash takes a signal for the end of its
	// input (1.35: `sleep 9`, ^Z, `bg`, and ash ends; on the host too).
	c.Line(`PS1='<'%'> '`)
	c.Prompt()
}

// Prompt waits for the prompt that FirstPrompt set.
func (c *Console) Prompt() {
	c.T.Helper()
	c.Expect(`<%> `)
}

// Run types a short command and returns what it showed up to the next prompt, without
// the echo of the command.
func (c *Console) Run(command string) string {
	c.T.Helper()
	c.Line(command)
	return strings.TrimSpace(c.Expect(`(?s)^[^\n]*\n(.*?)<%> `)[1])
}

// Screen returns what a terminal of that size shows now.
func (c *Console) Screen(rows, cols int) string { return ScreenOf(rows, cols, c.Shown()) }

// ScreenOf returns what a terminal of that size shows after a text.
func ScreenOf(rows, cols int, text string) string {
	screen := vt.NewEmulator(cols, rows)
	go func() { _, _ = io.Copy(io.Discard, screen) }() // its answers to the program's questions
	_, _ = screen.Write([]byte(text))
	_ = screen.InputPipe().(io.Closer).Close()
	return screen.String()
}
