package front

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
)

// heed begins to treat signals as a shell would. Until then one ends us, and with
// us the session.
func (s *session) heed() {
	s.heeding = true
	c := make(chan os.Signal, 8)
	if s.master >= 0 {
		signal.Notify(c, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGWINCH)
	} else {
		signal.Notify(c, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2)
	}
	go s.onSignals(c)
}

// onSignals: with a terminal, the keys reach the
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
			s.tell(exitstatus.OfSignal(sig))
			sys.DieBy(sig)
		default:
			_ = s.agent.Signal(sig)
			if sig == unix.SIGHUP || sig == unix.SIGTERM {
				s.tell(exitstatus.OfSignal(sig))
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
