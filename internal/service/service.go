// Package service runs the broker as a service: it finds or makes the socket,
// and ends cleanly.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"dockersh/internal/account"
	"dockersh/internal/audit"
	"dockersh/internal/broker"
	"dockersh/internal/door"
	"dockersh/internal/engine"
	"dockersh/internal/engine/docker"
	"dockersh/internal/history"
	"dockersh/internal/paths"
	"dockersh/internal/seqpacket"
	"dockersh/internal/sys"
)

// backlog is how many logins may wait while we accept others.
const backlog = 4096

// lastWord is how long logins that are under way have when we are told to end.
const lastWord = 10 * time.Second

// Main runs dockershd; the result is the exit code.
func Main() int {
	oneShot := len(os.Args) == 2 && os.Args[1] == door.OneShot
	if len(os.Args) > 1 && !oneShot {
		return usage(os.Args[1:])
	}
	if oneShot && os.Geteuid() == 0 {
		if err := sys.Fresh(); err != nil {
			return 1 // nobody to tell: our front sees the connection end
		}
	}
	out := audit.New(os.Stderr, "dockershd")
	defer out.Close(time.Second)
	log := slog.New(out.Handler())
	run := serve
	if oneShot {
		run = serveOne
	}
	if err := run(log); err != nil {
		log.Error("cannot serve", "cause", err)
		return 1
	}
	return 0
}

func usage(args []string) int {
	if len(args) == 1 && args[0] == "--version" {
		v := "unknown"
		if b, ok := debug.ReadBuildInfo(); ok {
			v = b.Main.Version
		}
		fmt.Println("dockershd", v)
		return 0
	}
	fmt.Fprintln(os.Stderr, "dockershd: error: it takes no arguments\nhint: see dockershd(8)")
	return 2
}

func serve(log *slog.Logger) error {
	if os.Geteuid() != 0 {
		return errors.New("it must run as root")
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT)
	signal.Ignore(unix.SIGHUP) // settings are read when they change; a terminal's end is not ours
	past, end := openHistory(log)
	defer end()
	b, err := newBroker(paths.Run, log, past)
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
		ctx, cancel := context.WithTimeout(context.Background(), lastWord)
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
func newBroker(run string, log *slog.Logger, past func(history.Record)) (*broker.Broker, error) {
	// A login is a tenth of a millisecond of our time: handing it from thread to
	// thread would cost more than a second processor gains.
	runtime.GOMAXPROCS(1)
	// Whatever the umask of who starts us: modes are said where they matter.
	unix.Umask(0o022)
	return broker.New(broker.Config{
		Run: run, Helpers: paths.Helpers(), Bridge: paths.Bridge(), Settings: paths.Settings(),
		Users: account.New(10 * time.Second), Log: log, History: past,
		Engine: func(at engine.Address) (engine.Engine, error) { return docker.Open(at) },
	})
}

// openHistory gives what takes the history of sessions, and its end. A user's own
// broker has no file for it that he could not change, and so none.
func openHistory(log *slog.Logger) (put func(history.Record), end func()) {
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
