// Package player shows recordings: one that is finished, and that of a session that
// goes on.
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

// screen is where a recording is shown. If it is a terminal, what is typed there is
// ours meanwhile: a recording can ask the terminal for something, and the answer
// must not reach a shell.
type screen struct {
	out      io.Writer
	terminal bool
	keys     chan byte
	restore  func()
}

// Keys.
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
	go s.listen()
	return s, nil
}

// tidy ends what a recording may have left begun: a sequence, the alternate screen,
// a mouse that is reported, colours. Where the cursor then is nobody knows: it goes
// to the last line.
const tidy = "\x18\x1b\\\x1b[?1049l\x1b[!p\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[?7h\x1b[0m\x1b(B\x0f\x1b[999;1H\r\n"

func (s *screen) close() {
	if s.terminal {
		_, _ = io.WriteString(s.out, tidy)
	}
	s.restore()
}

// listen takes the keys that mean something. It ends with the program.
func (s *screen) listen() {
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

// write shows an event.
func (s *screen) write(e asciicast.Event) error {
	if e.Kind != asciicast.Output {
		return nil
	}
	_, err := io.WriteString(s.out, e.Data)
	return err
}

// sleep waits; a space makes it wait until the next one. It gives how much longer
// that was, and whether to go on.
func (s *screen) sleep(ctx context.Context, d time.Duration) (longer time.Duration, on bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	var since time.Time // when it was halted; zero: it is not
	up := t.C
	for {
		select {
		case <-up:
			return longer, true
		case <-ctx.Done():
			return longer, false
		case k := <-s.keys:
			switch {
			case k == ctrlC:
				return longer, false
			case since.IsZero():
				since, up = time.Now(), nil
			default:
				longer += time.Since(since)
				since, up = time.Time{}, t.C
			}
		}
	}
}
