package front

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
)

// handleSignals handles signals as a shell would, from now on. Until then a signal ends
// this process, and with it the session.
func (s *session) handleSignals() {
	s.handlesSignals = true
	c := make(chan os.Signal, 8)
	if s.master >= 0 {
		signal.Notify(c, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGWINCH)
	} else {
		signal.Notify(c, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2)
	}
	go s.receiveSignals(c)
}

// receiveSignals acts on signals. With a terminal, the keys reach the container as bytes,
// so a signal is for this process: it restores the terminal and dies, which hangs up the
// session. Without a terminal, a signal is for the command.
func (s *session) receiveSignals(c chan os.Signal) {
	for sig := range c {
		sig := sig.(unix.Signal)
		switch {
		case sig == unix.SIGWINCH:
			s.size.Update()
		case s.master >= 0:
			s.restore()
			s.reportEnd(exitstatus.OfSignal(sig))
			sys.DieBy(sig)
		default:
			_ = s.agent.Signal(sig)
			if sig == unix.SIGHUP || sig == unix.SIGTERM {
				s.reportEnd(exitstatus.OfSignal(sig))
				sys.DieBy(sig)
			}
		}
	}
}
