package sessions

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/root/state"
)

// Message is the command message: it writes a line to the terminals of sessions.
func Message(ctx context.Context, env cli.Env, args []string) error {
	var meant cli.Selection
	words, err := meant.Parse(args, nil, 1)
	if err != nil {
		return err
	}
	text := printable.Line(words[0])
	if text == "" || len(words[0]) > maxMessage {
		return fmt.Errorf("%w: the text has 1 to %d bytes", cli.ErrMisuse, maxMessage)
	}
	if err := cli.RequireRoot("message"); err != nil {
		return err
	}
	all, err := selectSessions(ctx, env.Marks, &meant)
	if err != nil {
		return err
	}
	reached, bare := 0, 0
	var failed []error
	for _, entry := range Shown(all) {
		switch err := writeLine(entry, text); {
		case err == nil:
			reached++
		case errors.Is(err, errNoTerminal):
			bare++
		default:
			failed = append(failed, fmt.Errorf("session %s: %w", entry.ID, err))
		}
	}
	fmt.Fprintf(env.Out, "sent to %s", human.Count(reached, "session"))
	if bare > 0 {
		fmt.Fprintf(env.Out, "; %s without a terminal", human.Count(bare, "session"))
	}
	fmt.Fprintln(env.Out)
	return cli.Join(failed...)
}

// maxMessage is the most bytes that a terminal accepts at once, however slow its reader
// is.
const maxMessage = 1000

var errNoTerminal = errors.New("it has no terminal")

// writeLine writes a line to the terminal of a session. It does not wait: a terminal
// whose reader has stopped accepts nothing.
func writeLine(entry state.Session, text string) error {
	fd, err := openTerminal(entry)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	// The terminal is in raw mode, so the line ends as on the wire.
	line := "\r\ndockersh: " + printable.Line(text) + "\r\n"
	n, err := unix.Write(fd, []byte(line))
	if errors.Is(err, unix.EAGAIN) || err == nil && n < len(line) {
		return errors.New("its terminal accepts nothing now")
	}
	return err
}

// openTerminal opens the terminal of a session's login shell for writing. The process
// belongs to the user, so root opens what it has open only after checking that it is
// the process's controlling terminal. The name of a terminal is not enough: in another
// mount namespace, or since the login, it can mean another terminal.
func openTerminal(entry state.Session) (int, error) {
	p, err := proc.Of(entry.Pid)
	if err != nil || p.Start != entry.Start || p.TTY == 0 {
		return -1, errNoTerminal
	}
	if uid, err := proc.UID(entry.Pid); err != nil || uid != entry.UID {
		return -1, errNoTerminal
	}
	for _, stdio := range []string{"0", "1", "2"} {
		at, err := unix.Open("/proc/"+strconv.Itoa(entry.Pid)+"/fd/"+stdio, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		fd, err := reopen(at, p.TTY)
		_ = unix.Close(at)
		if err == nil && entry.IsLive() {
			return fd, nil
		}
		if err == nil {
			_ = unix.Close(fd)
		}
	}
	return -1, errNoTerminal
}

// reopen opens the file of an O_PATH descriptor for writing if it is this terminal.
func reopen(at int, tty uint32) (int, error) {
	var st unix.Statx_t
	// What the kernel knows: the file may be on a file system that does not answer.
	if err := unix.Statx(at, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, unix.STATX_TYPE, &st); err != nil {
		return -1, err
	}
	// /proc/PID/stat packs the two numbers in the kernel's own way.
	packed := st.Rdev_major<<8 | st.Rdev_minor&0xff | st.Rdev_minor&^0xff<<12
	if uint32(st.Mode)&unix.S_IFMT != unix.S_IFCHR || packed != tty {
		return -1, errNoTerminal
	}
	return unix.Open("/proc/self/fd/"+strconv.Itoa(at), unix.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
}
