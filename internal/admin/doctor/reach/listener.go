package reach

import (
	"context"
	"io"
	"net"
	"os"
	"time"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/netns"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// greeting is the text that our listeners send.
const greeting = "dockershctl doctor"

// greetLimit bounds each connection to them.
const greetLimit = 30 * time.Second

// greet listens at an address (host:0) of a network, without one of that of the host, and
// greets.
func greet(ns *os.File, address string) (l net.Listener, err error) {
	listen := func() { l, err = net.Listen("tcp", address) }
	if ns == nil {
		listen()
	} else if enterErr := netns.In(ns, listen); enterErr != nil {
		return nil, enterErr
	}
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(greetLimit))
			_, _ = io.WriteString(c, greeting)
			_ = c.Close()
		}
	}()
	return l, nil
}

// networkOfUser opens the network of a user's container.
func networkOfUser(ctx context.Context, u *facts.User, open engine.Opener) (*os.File, error) {
	d, err := open(policy.EngineOf(u.Settings))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return networkOf(ctx, d, u.Settings.ContainerName)
}

func networkOf(ctx context.Context, d engine.Engine, container string) (*os.File, error) {
	found, err := d.Find(ctx, container)
	if err != nil {
		return nil, err
	}
	one, err := proc.Of(found.Pid)
	if err != nil {
		return nil, err
	}
	return netns.Of(one)
}
