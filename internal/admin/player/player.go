// Package player is dockershctl's commands replay and watch: it shows a recording that
// is finished, and that of a live session.
package player

import (
	"context"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/asciicast"
)

// screen is where a recording is shown. If it is a terminal, its input is read
// meanwhile: a recording can query the terminal, whose answers must not reach a shell.
type screen struct {
	out      io.Writer
	terminal bool
	keys     chan byte // ctrlC, space
	restore  func()    // the terminal's modes
}

const (
	ctrlC = 3
	space = ' '
)

func openScreen(out io.Writer) (*screen, error) {
	f, ok := out.(*os.File)
	s := &screen{out: out, terminal: ok && tty.Is(int(f.Fd())), keys: make(chan byte), restore: func() {}}
	if !s.terminal || !tty.Is(0) {
		return s, nil
	}
	modes, err := tty.Get(0)
	if err != nil {
		return nil, err
	}
	s.restore = func() {
		_ = unix.IoctlSetInt(0, unix.TCFLSH, unix.TCIFLUSH)
		_ = modes.Restore(0)
	}
	if err := modes.Raw(0); err != nil {
		return nil, err
	}
	go s.readKeys()
	return s, nil
}

// resetTerminal ends what a recording may have begun and not ended: a sequence, the
// alternate screen, the reporting of the mouse, colours. It moves the cursor, which may
// be anywhere, to the last line.
const resetTerminal = "\x18\x1b\\\x1b[?1049l\x1b[!p\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l" +
	"\x1b[?2004l\x1b[?25h\x1b[?7h\x1b[0m\x1b(B\x0f\x1b[999;1H\r\n"

func (s *screen) close() {
	if s.terminal {
		_, _ = io.WriteString(s.out, resetTerminal)
	}
	s.restore()
}

// readKeys reads the terminal and passes ctrlC and space on. It ends with the program.
func (s *screen) readKeys() {
	buf := make([]byte, 256)
	for {
		n, err := os.Stdin.Read(buf)
		if err != nil || n == 0 {
			return
		}
		for _, c := range buf[:n] {
			if c == ctrlC || c == space {
				s.keys <- c
			}
		}
	}
}

// write shows an event that is output.
func (s *screen) write(e asciicast.Event) error {
	if e.Kind != asciicast.Output {
		return nil
	}
	_, err := io.WriteString(s.out, e.Data)
	return err
}

// sleep waits for d. A space halts the time until the next space. It returns for how
// long the time was halted, and whether to go on: not after ctrlC or the end of ctx.
func (s *screen) sleep(ctx context.Context, d time.Duration) (halted time.Duration, goOn bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	var since time.Time // when the time was halted; zero: it runs
	up := t.C
	for {
		select {
		case <-up:
			return halted, true
		case <-ctx.Done():
			return halted, false
		case k := <-s.keys:
			switch {
			case k == ctrlC:
				return halted, false
			case since.IsZero():
				since, up = time.Now(), nil
			default:
				halted += time.Since(since)
				since, up = time.Time{}, t.C
			}
		}
	}
}
