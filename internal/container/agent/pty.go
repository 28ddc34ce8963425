package agent

import (
	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// pty is a pseudo-terminal of the container.
type pty struct {
	master, slave int
	name          string
}

// openPty opens a terminal that has the size and the modes of the client's terminal from
// the start.
func openPty(m *wire.Start) (p pty, err error) {
	if p.master, p.slave, err = tty.Open(); err != nil {
		return p, err
	}
	if p.name, err = tty.Name(p.master); err != nil {
		p.close()
		return p, err
	}
	// The terminal is usable without these modes (erase character, echo), which may be
	// those of another architecture.
	_ = tty.SetBytes(p.slave, m.Termios)
	_ = tty.SetSize(p.slave, m.Rows, m.Cols)
	return p, nil
}

func (p pty) close() {
	_ = unix.Close(p.master)
	_ = unix.Close(p.slave)
}
