package bringup

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/dockersh/dockersh/internal/host/netns"
	"github.com/dockersh/dockersh/internal/root/reverse"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// maxCarriers is how many containers of one user have reverse forwards: each has a process on
// the host. A user whose sessions have containers of their own can have thousands.
const maxCarriers = 64

// Why a container has no reverse forwards.
var (
	errNotRoot = errors.New("dockershd does not run as root")
	errAdopted = errors.New("dockersh did not make the container")
)

// ensureReverse makes sure that the reverse forwards of a login whose container runs are
// there, and returns in one line which ones are not. They are no reason to refuse it.
func (b *Bringup) ensureReverse(ctx context.Context, plan *policy.Plan) string {
	if len(plan.Settings.ReverseForward) == 0 {
		return ""
	}
	var reasons []string
	forwards := map[string]string{} // by reason
	for _, f := range b.findUnforwarded(ctx, plan) {
		if !errors.Is(f.Err, reverse.ErrStarted) { // which was logged when it was started
			b.Log.Warn("reverse forward is off", "container", plan.Container, "forward", f.Forward, "cause", f.Err)
		}
		reason := whyUnforwarded(plan.Container, f.Err)
		if forwards[reason] == "" {
			reasons = append(reasons, reason)
		}
		forwards[reason] += " " + f.Forward
	}
	for i, reason := range reasons {
		reasons[i] = "reverseforward" + forwards[reason] + " is off: " + reason
	}
	return strings.Join(reasons, "; ")
}

func (b *Bringup) findUnforwarded(ctx context.Context, plan *policy.Plan) []reverse.Failure {
	forwards := plan.Settings.ReverseForward
	if os.Geteuid() != 0 {
		return reverse.FailAll(forwards, errNotRoot)
	}
	dir, err := b.knownDir(plan)
	if errors.Is(err, errNoAgent) && plan.MayAdopt() {
		return reverse.FailAll(forwards, errAdopted)
	}
	if err != nil {
		return reverse.FailAll(forwards, err)
	}
	one, err := dir.LastStart().Process()
	if err != nil {
		return reverse.FailAll(forwards, err)
	}
	user := plan.User.UID
	starter := reverse.Starter{Program: b.Bridge, Network: b.HostNetwork, Log: b.Log,
		Acquire: func() bool { return b.carriers.TryAcquire(user) }, Release: func() { b.carriers.Release(user) }}
	return starter.Ensure(ctx, dir, one, forwards)
}

func whyUnforwarded(container string, err error) string {
	switch {
	case errors.Is(err, reverse.ErrTaken):
		return "another program listens there in the container"
	case errors.Is(err, reverse.ErrStarted):
		return "the container was started without it (ask the administrator to run: dockershctl restart " + container + ")"
	case errors.Is(err, netns.ErrHost):
		return "the container is in the network of the host"
	case errors.Is(err, reverse.ErrTooMany):
		return "you have too many containers with it"
	case errors.Is(err, errNotRoot), errors.Is(err, errAdopted):
		return err.Error()
	}
	return "ask the administrator to run: journalctl -t dockershd"
}
