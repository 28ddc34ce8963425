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

// backlog is how many logins may wait to be accepted.
const backlog = 4096

// shutdownLimit is how long logins that are under way have when the broker is to end.
const shutdownLimit = 10 * time.Second

// serve runs the broker as a service until a signal ends it.
func serve(log *slog.Logger, open engine.Opener) error {
	if os.Geteuid() != 0 {
		return errors.New("dockershd must run as root")
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT)
	signal.Ignore(unix.SIGHUP) // settings are read again when they change; a terminal that ends is not ours
	events, end := openHistory(log)
	defer end()
	b, err := newBroker(broker.Service, paths.Run, log, events, open)
	if err != nil {
		return err
	}
	sys.CloseOnExecFrom(3) // descriptors that we were started with are not for our children
	fd, made, err := openSocket()
	if err != nil {
		return err
	}
	l, err := seqpacket.NewListener(fd)
	if err != nil {
		return err
	}
	if made {
		// The lock is still held: the next broker binds after it, and keeps its name.
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
	<-ended // logins under way are answered
	return nil
}

// newBroker makes the broker of a process that does nothing else.
func newBroker(role broker.Role, run string, log *slog.Logger, events func(history.Event), open engine.Opener) (*broker.Broker, error) {
	// A login takes a tenth of a millisecond: handing it from thread to thread would cost
	// more than a second processor gains.
	runtime.GOMAXPROCS(1)
	// Modes are given where they matter, whatever umask we were started with.
	unix.Umask(0o022)
	inventory, services := "", ""
	if os.Geteuid() == 0 {
		inventory, services = paths.Inventory(), paths.Services()
	}
	return broker.New(broker.Config{
		Role: role, Run: run, Inventory: inventory, Services: services, Helpers: paths.Helpers(),
		Bridge: paths.Bridge(), PodBridge: []string{paths.Pods(), "bridge"}, SettingsPaths: paths.Settings(),
		Users: account.New(10 * time.Second), Log: log, PutEvent: events,
		OpenEngine: open, AskFate: askFate,
	})
}

// openHistory returns the function that writes events to the history of sessions, and one
// that flushes it. A broker with a user's own rights has no history: the user could
// change it.
func openHistory(log *slog.Logger) (put func(history.Event), end func()) {
	if os.Geteuid() != 0 {
		return nil, func() {}
	}
	l := history.Open(paths.History(), log)
	return l.Put, func() { l.Flush(time.Second) }
}

// firstActivated is where systemd puts the first socket (sd_listen_fds(3)).
const firstActivated = 3

// openSocket returns the socket that systemd passed, or makes it, which made reports.
func openSocket() (fd int, made bool, err error) {
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
	if err := lockSocket(); err != nil {
		return -1, false, err
	}
	fd, err = seqpacket.Bind(paths.Socket(), 0o666, backlog)
	return fd, true, err
}

// lockLimit is how long the lock of a broker that was killed may be held by a process that it was
// about to start, which closes it when its program runs.
const lockLimit = 3 * time.Second

// lockSocket makes sure that no other broker without systemd serves the same socket. The
// lock is held until this process ends.
func lockSocket() error {
	fd, err := unix.Open(paths.Lock(), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	for end := time.Now().Add(lockLimit); unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			_ = unix.Close(fd)
			return errors.New("another dockershd serves " + paths.Socket())
		}
	}
	return nil
}
