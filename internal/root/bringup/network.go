package bringup

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/netns"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/trustedpath"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// OpenNetwork returns the network namespace of a login's container, which runs afterwards and
// is not in the host's network. The caller closes it. No image is pulled. Where the container
// runs already, no engine is asked.
func (b *Bringup) OpenNetwork(ctx context.Context, l Login) (*os.File, error) {
	never := *l.Plan.Settings
	never.Pull = "never"
	plan := *l.Plan
	plan.Settings, l.Plan = &never, &plan
	if _, may := b.mayEnterAsIs(l); may {
		if ns, err := b.openKnownNetwork(l.Plan); !errors.Is(err, errNoAgent) {
			return ns, err
		}
	}
	a, err := b.newColdLogin(l, func(string) {})
	if err != nil {
		return nil, err
	}
	ns, _, err := enterBy(ctx, a, func() (*os.File, error) {
		ns, err := b.openKnownNetwork(l.Plan)
		if errors.Is(err, errNoAgent) && l.Plan.MayAdopt() {
			ns, err = a.openAdoptedNetwork(ctx)
		}
		return ns, err
	})
	return ns, err
}

// openKnownNetwork opens the network namespace of a container that was looked at since its
// process 1 was started; errNoAgent. That process may be a program of the user's, and in a
// network that it made itself: which is the user's, too.
func (b *Bringup) openKnownNetwork(plan *policy.Plan) (*os.File, error) {
	dir, err := b.knownDir(plan)
	if err != nil {
		return nil, err
	}
	one, err := dir.LastStart().Process()
	if err != nil {
		return nil, errNoAgent
	}
	ns, err := netns.Of(one)
	if errors.Is(err, proc.ErrGone) {
		return nil, errNoAgent
	}
	return ns, err
}

// openAdoptedNetwork opens the network namespace of a container that dockersh did not make, of
// which the engine alone knows the process; errNoAgent. So the engine must be root's.
func (a *coldLogin) openAdoptedNetwork(ctx context.Context) (*os.File, error) {
	var st unix.Stat_t
	socket := a.plan.Engine().Host
	if err := unix.Stat(socket, &st); err != nil {
		return nil, err
	}
	if err := trustedpath.Way(socket); err != nil || st.Uid != 0 {
		return nil, usererr.New(usererr.Denied, "the engine of the adopted container is not root's", "", err)
	}
	found, err := a.findAdopted(ctx)
	if err != nil {
		return nil, err
	}
	one, err := proc.Of(found.Pid)
	if err != nil {
		return nil, errNoAgent
	}
	ns, err := netns.Of(one)
	if errors.Is(err, proc.ErrGone) {
		return nil, errNoAgent
	}
	if err != nil {
		return nil, err
	}
	// It is the container's process as long as the engine reports it after we looked.
	if again, err := a.findAdopted(ctx); err != nil || again.ID != found.ID || again.Pid != found.Pid {
		return nil, errors.Join(errNoAgent, err, ns.Close())
	}
	return ns, nil
}

// findAdopted returns a container that runs and that the user may adopt; errNoAgent.
func (a *coldLogin) findAdopted(ctx context.Context) (*engine.Container, error) {
	found, err := a.engine.Find(ctx, a.plan.Container)
	if errors.Is(err, engine.ErrNotFound) || err == nil && found.State != engine.Running {
		return nil, errNoAgent
	}
	if err != nil {
		return nil, err
	}
	if _, _, err := a.plan.Admit(found.Labels, os.Geteuid()); err != nil {
		return nil, err
	}
	return found, nil
}
