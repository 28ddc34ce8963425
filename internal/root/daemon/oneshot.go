package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/root/broker"
	"github.com/dockersh/dockersh/internal/root/door"
	"github.com/dockersh/dockersh/internal/root/fate"
)

// serveOne serves the one front at c and returns when its session is over.
func serveOne(log *slog.Logger, c *seqpacket.Conn, open engine.Opener) error {
	b, end, err := newBrokerOfOne(log, open)
	if err != nil {
		return err
	}
	defer end()
	return b.ServeOne(c)
}

// reconcile does once what no service does.
func reconcile(log *slog.Logger, open engine.Opener) error {
	b, end, err := newBrokerOfOne(log, open)
	if err != nil {
		return err
	}
	defer end()
	return b.Reconcile()
}

// newBrokerOfOne makes the broker of one session, with the rights of whoever runs it. The
// caller calls end when it is done.
func newBrokerOfOne(log *slog.Logger, open engine.Opener) (b *broker.Broker, end func(), err error) {
	run, err := runDir(os.Geteuid())
	if err != nil {
		return nil, nil, err
	}
	role := broker.OneSession
	if open == nil {
		role = broker.WithoutEngine
	}
	events, end := openHistory(log)
	b, err = newBroker(role, run, log, events, open)
	if err != nil {
		end()
		return nil, nil, err
	}
	return b, end, nil
}

// askFate has dockershd, which has a client of the engine, find out what happened to a
// container.
func askFate(ctx context.Context, at engine.Address, container string) string {
	const unknown = "the container ended"
	if door.CheckProgram(paths.Broker()) != nil {
		return unknown
	}
	cmd := exec.CommandContext(ctx, paths.Broker(), whyLostOption, at.Host, at.TLS, container)
	cmd.Dir, cmd.Env = "/", []string{}
	reason, err := cmd.Output()
	if err != nil || len(reason) == 0 {
		return unknown
	}
	return string(reason)
}

// whyLostOption is the argument of a dockershd that prints what happened to a container.
const whyLostOption = "--why-lost"

func printFate(at engine.Address, container string, open engine.Opener) error {
	e, err := open(at)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
	defer cancel()
	fmt.Print(fate.Of(ctx, e, container, false)) // exec streams are served by brokers with an engine
	return nil
}
