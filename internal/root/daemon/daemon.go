// Package daemon runs the broker: as a service, which finds or makes its socket and
// ends cleanly, or for one session.
package daemon

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/root/broker"
	"github.com/dockersh/dockersh/internal/root/history"
)

// backlog is how many logins may wait while we accept others.
const backlog = 4096

// shutdownLimit is how long logins that are under way have when the broker is to end.
const shutdownLimit = 10 * time.Second

func serve(log *slog.Logger, open engine.Opener) error {
	if os.Geteuid() != 0 {
		return errors.New("it must run as root")
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT)
	signal.Ignore(unix.SIGHUP) // settings are read when they change; a terminal's end is not ours
	events, end := openHistory(log)
	defer end()
	b, err := newBroker(broker.Service, paths.Run, log, events, open)
	if err != nil {
		return err
	}
	sys.CloseOnExecFrom(3) // what we were started with is not for what we start
	fd, ours, err := socket()
	if err != nil {
		return err
	}
	l, err := seqpacket.NewListener(fd)
	if err != nil {
		return err
	}
	if ours {
		// Before the next one binds: it must not lose its name to our end.
		defer os.Remove(paths.Socket())
	}
	log.Info("ready", "socket", paths.Socket())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		log.Info("ending", "signal", (<-signals).String())
		ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
		defer cancel()
		b.Shutdown(ctx, l)
	}()
	if err := b.Serve(l); err != nil {
		return err
	}
	<-ended // logins that were under way
	return nil
}

// newBroker makes the broker of a process that does nothing else.
func newBroker(role broker.Role, run string, log *slog.Logger, events func(history.Event), open engine.Opener) (*broker.Broker, error) {
	// A login is a tenth of a millisecond of our time: handing it from thread to
	// thread would cost more than a second processor gains.
	runtime.GOMAXPROCS(1)
	// Whatever the umask of who starts us: modes are said where they matter.
	unix.Umask(0o022)
	return broker.New(broker.Config{
		Role: role, Run: run, Helpers: paths.Helpers(), Bridge: paths.Bridge(), Settings: paths.Settings(),
		Users: account.New(10 * time.Second), Log: log, History: events,
		Engine: open, WhyLost: askWhyLost,
	})
}

// openHistory gives what takes the history of sessions, and its end. A user's own
// broker has no file for it that he could not change, and so none.
func openHistory(log *slog.Logger) (put func(history.Event), end func()) {
	if os.Geteuid() != 0 {
		return nil, func() {}
	}
	l := history.Open(paths.History(), log)
	return l.Put, func() { l.Close(time.Second) }
}

// firstActivated is where systemd puts the first socket (sd_listen_fds(3)).
const firstActivated = 3

// socket takes the socket that systemd made, or makes it. ours says which.
func socket() (fd int, ours bool, err error) {
	if os.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid()) {
		n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
		if err != nil || n != 1 {
			return -1, false, errors.New("systemd must pass exactly one socket")
		}
		unix.CloseOnExec(firstActivated)
		if t, err := unix.GetsockoptInt(firstActivated, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || t != unix.SOCK_SEQPACKET {
			return -1, false, errors.New("systemd must pass a SOCK_SEQPACKET socket (ListenSequentialPacket=)")
		}
		return firstActivated, false, nil
	}
	if err := only(); err != nil {
		return -1, false, err
	}
	fd, err = seqpacket.Bind(paths.Socket(), 0o666, backlog)
	return fd, true, err
}

// only makes sure that no other standalone broker serves the same socket. The
// lock is held until this process ends.
func only() error {
	fd, err := unix.Open(paths.Lock(), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return errors.New("another dockershd serves " + paths.Socket())
	}
	return nil
}
