package daemon

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/version"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/broker"
	"github.com/dockersh/dockersh/internal/root/door"
	"github.com/dockersh/dockersh/internal/root/syslog"
)

// Main runs dockershd and returns its exit code. Open is how it reaches engines.
func Main(open engine.Opener) int {
	args := os.Args[min(1, len(os.Args)):]
	if len(args) == 0 {
		return exitCode(logged(func(log *slog.Logger) error { return serve(log, open) }))
	}
	var run func(*slog.Logger) error
	switch {
	case len(args) == 1 && args[0] == "--version":
		fmt.Println("dockershd", version.Get())
		return 0
	case len(args) == 1 && args[0] == door.OneShot:
		run = func(log *slog.Logger) error {
			c, err := seqpacket.New(0)
			if err != nil {
				return err
			}
			return serveOne(log, c, open)
		}
	case len(args) == 1 && args[0] == door.Reconcile:
		run = func(log *slog.Logger) error { return reconcile(log, open) }
	case len(args) == 4 && args[0] == whyLostOption:
		run = func(*slog.Logger) error {
			return printFate(engine.Address{Host: args[1], TLS: args[2]}, args[3], open)
		}
	default:
		return usage("dockershd", "it does not take these arguments")
	}
	return exitCode(logged(run))
}

// SessionMain runs dockershd-session, the broker of the one front on standard input, and
// returns its exit code. It has no client of an engine: where one is needed it becomes
// dockershd.
func SessionMain() int {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("dockershd-session", version.Get())
		return 0
	}
	if len(os.Args) > 1 {
		return usage("dockershd-session", "it is started by dockersh, with nothing but a socket")
	}
	var c *seqpacket.Conn
	err := logged(func(log *slog.Logger) (err error) {
		if c, err = seqpacket.New(0); err != nil {
			return err
		}
		return serveOne(log, c, nil)
	})
	switch {
	case errors.Is(err, broker.ErrHandOver):
		_ = unix.SetNonblock(0, false) // else the poller of dockershd would adopt it as os.Stdin, before main
		if err = door.ExecBroker(door.OneShot, wait.Hangs()); err == nil {
			return 0
		}
		front, e := channel.Conn{Socket: c}, usererr.For(err)
		front.Within(time.Second)
		if _, fds, err := front.Socket.Recv(wire.MaxPacket); err == nil { // with the login there the front would lose our message
			seqpacket.CloseAll(fds)
		}
		_ = front.Send(wire.NewError(e))
	case errors.Is(err, broker.ErrNeedsEngine):
		if err = door.ExecBroker(door.Reconcile, wait.Hangs()); err == nil {
			return 0
		}
	default:
		return exitCode(err)
	}
	return exitCode(logged(func(*slog.Logger) error { return err }))
}

// logged runs with a log, to which it writes the error.
func logged(run func(*slog.Logger) error) error {
	out := syslog.New(os.Stderr, "dockershd")
	defer out.Flush(time.Second)
	log := slog.New(out.Handler())
	err := run(log)
	if err != nil && !errors.Is(err, broker.ErrHandOver) && !errors.Is(err, broker.ErrNeedsEngine) {
		log.Error("cannot serve", "cause", err)
	}
	return err
}

func exitCode(err error) int {
	if err != nil {
		return 1
	}
	return 0
}

func usage(program, what string) int {
	fmt.Fprintln(os.Stderr, program+": error: "+what+"\nhint: man 8 dockershd")
	return 2
}
