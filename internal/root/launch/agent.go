package launch

import (
	"context"
	"errors"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// agentStart is the start of an agent in a container that runs, or is about to.
type agentStart struct {
	t      *Target
	user   account.Identity
	socket *startSocket
	users  idmap.Map    // user numbers of the container
	root   *rootfs.Root // of the container; nil where it cannot be seen
}

// awaitAgent opens the socket on which an agent is expected.
func (t *Target) awaitAgent(user account.Identity) (*agentStart, error) {
	socket, err := openStartSocket(t.dir, t.plan.Agent, user)
	if err != nil {
		return nil, err
	}
	return &agentStart{t: t, user: user, socket: socket}, nil
}

func (a *agentStart) close() {
	a.socket.close()
	_ = a.root.Close()
}

// openRoot opens a running container, and returns the number on the host that the
// container user has in it: from the kernel, which knows it even if the engine would choose
// another user namespace by now.
func (a *agentStart) openRoot(ctx context.Context, running *engine.Container) (uid uint32, err error) {
	a.root, a.users, err = lifecycle.OpenRoot(running)
	switch {
	case errors.Is(err, lifecycle.ErrNotSeen): // the direct door: its users can ask the engine for root themselves
	case errors.Is(err, idmap.ErrNested):
		return 0, usererr.New(usererr.Container, "the container's user numbers were not set up by root",
			"ask the administrator to run: dockershctl explain "+a.t.plan.User.Name+
				" (a rootless engine takes a broker that runs as its own user)", err)
	case err != nil:
		_, endErr := a.t.findRunning(ctx) // if it ended at this moment, that says more
		return 0, errors.Join(endErr, err)
	}
	return policy.HostUID(a.users, a.user)
}

// startFurther starts an agent beside process 1: for another container user, or because
// process 1 is not ours. The container was just verified.
func (a *agentStart) startFurther(ctx context.Context, id string) error {
	a.addUser()
	if err := a.t.engine.Exec(ctx, id, a.user.UID, a.user.GID, []string{policy.InitInside}); err != nil {
		return err
	}
	return a.wait(ctx, furtherAgentLimit)
}

// wait waits for an agent that was just started, as long as its container runs.
func (a *agentStart) wait(ctx context.Context, limit time.Duration) error {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if err := a.socket.wait(ctx, 500*time.Millisecond); !errors.Is(err, errSilent) {
			return err
		}
		if _, err := a.t.findRunning(ctx); err != nil {
			return err
		}
	}
	return ErrSilent(a.t.plan.Container, errSilent)
}
