package shell

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"dockersh/internal/sys"
	"dockersh/internal/tty"
	"dockersh/internal/wire"
)

// catch begins to collect signals, before the size of the terminal is read.
func catch(terminal bool) chan os.Signal {
	c := make(chan os.Signal, 8)
	signal.Notify(c, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM)
	if terminal {
		signal.Notify(c, unix.SIGWINCH)
	}
	return c
}

// onSignals treats signals as a shell would. With a terminal, the keys reach the
// container as bytes, so a signal is for us: the terminal is restored, and the
// end of this process hangs the session up. Without one, a signal is for the
// command.
func (s *session) onSignals(c chan os.Signal) {
	for sig := range c {
		sig := sig.(unix.Signal)
		switch {
		case sig == unix.SIGWINCH:
			s.resize()
		case s.master >= 0:
			s.restore()
			sys.DieBy(sig)
		default:
			_ = s.agent.Send(&wire.Signal{Number: uint8(sig)})
			if sig == unix.SIGHUP || sig == unix.SIGTERM {
				sys.DieBy(sig)
			}
		}
	}
}

// resize gives the session's terminal the size of ours.
func (s *session) resize() {
	if rows, cols, err := tty.Size(0); err == nil {
		_ = tty.SetSize(s.master, rows, cols) // gone already: nobody looks
	}
}
