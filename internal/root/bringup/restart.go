package bringup

import (
	"context"
	"errors"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// findReplaced returns what Entry.Replaced is for a login of a plan.
func (b *Bringup) findReplaced(plan *policy.Plan) string {
	if !plan.Engine().Local() {
		return ""
	}
	dir := b.State.Container(plan.Container)
	if !dir.HasSources() {
		return ""
	}
	found := make(chan string, 1)
	err := b.looks.Do(context.Background(), plan.User.UID, lookLimit, func() { found <- lifecycle.FindReplaced(dir) })
	if err != nil {
		return ""
	}
	return <-found
}

// lookLimit is how long a look at the directories of one container may take, and
// sourceLimit one that a login cannot do without: the server of a network file system may
// not answer.
const (
	lookLimit   = time.Second
	sourceLimit = 5 * time.Second
)

// checkSources refuses sources of mounts that a user could swap, and those that do not
// answer: the engine would wait for them, with a slot that others need. A container that
// exists mounts what it was made with, whatever the settings say by now.
func (a *coldLogin) checkSources(ctx context.Context, found *engine.Container) error {
	if !a.plan.Engine().Local() {
		return nil
	}
	result := make(chan error, 1)
	err := a.b.looks.Do(ctx, a.plan.User.UID, sourceLimit, func() { result <- checkMountSources(sourcesOf(a.plan.Settings, found, a.dir)) })
	if errors.Is(err, wait.ErrGivenUp) {
		return usererr.New(usererr.Unavailable, "a directory of the host that belongs into your container does not answer",
			"try again, or ask the administrator to run: dockershctl explain "+a.plan.User.Name+" (and to look at the file systems of mounthome and volume)", err)
	}
	if err != nil {
		return err
	}
	return <-result
}

// restartIfReplaced stops a container that mounts a directory which was replaced on the
// host, if no session is in it: to be started with what is there now. The lock is held,
// and this login still waits.
func (a *coldLogin) restartIfReplaced(ctx context.Context) (changed ColdReason, err error) {
	path := a.b.findReplaced(a.plan)
	if path == "" || a.inUse() {
		return "", nil
	}
	found, err := a.engine.Find(ctx, a.plan.Container)
	if err != nil {
		return "", nil // as in recreateIfChanged
	}
	owner, ours := policy.OwnerOf(found.Labels)
	if !ours || a.plan.CheckEntry(owner) != nil || found.State != engine.Running {
		return "", nil
	}
	vacant, err := lifecycle.WhileVacant(a.dir, a.inUse, func() error {
		a.show("restarting the container")
		err := a.engine.Stop(ctx, found.ID, lifecycle.StopGrace)
		if errors.Is(err, engine.ErrNotFound) {
			return nil
		}
		return err
	})
	if !vacant || err != nil {
		return "", err
	}
	a.b.Log.Info("container stopped", "container", a.plan.Container, "id", found.ID, "why", string(NewSource), "path", path)
	return NewSource, a.dir.Open()
}
