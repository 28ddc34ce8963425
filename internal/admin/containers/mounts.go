package containers

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/mounts"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// mountsLimit is how long the directories of the host that a container mounts may take to
// answer: they may be on a file system of the network that is away, or on a user's own.
const mountsLimit = 5 * time.Second

// hostReads are of these directories, by the user whose login made the container.
var hostReads = wait.NewAbandonable()

// checkMounts returns an error if the container mounts a directory that others than root
// can replace, or that does not answer, or mounts something where users can make a link.
// Only the login that made the container could judge whether it may.
func (c Container) checkMounts(ctx context.Context, found *engine.Container, d state.ContainerDir) error {
	if !c.address.Local() {
		return nil // paths of another host
	}
	mapped, err := policy.ParseHome(found.Labels[engine.LabelHome])
	if err != nil {
		return err
	}
	home := ""
	if found.MayGain {
		known, _, err := installed.Accounts(0).Known(ctx, []string{c.User()})
		if err != nil {
			return err
		}
		home = known[c.User()].Home
	}
	if err := mounts.CheckHelpers(found, paths.Helpers()); err != nil {
		return err
	}
	var at atomic.Value
	at.Store("a directory that it mounts")
	check := func() error {
		for _, from := range found.Binds {
			if from == d.Home() {
				from = mapped.From
			}
			at.Store(from)
			if err := mounts.CheckMountSource(from); err != nil {
				return err
			}
		}
		if !found.MayGain {
			return nil
		}
		return mounts.CheckMountTargets(found, home, true)
	}
	result := make(chan error, 1)
	err = hostReads.Do(ctx, c.owner.UID, mountsLimit, func() { result <- check() })
	if errors.Is(err, wait.ErrGivenUp) {
		return usererr.New(usererr.Unavailable, at.Load().(string)+" does not answer",
			"to find its file system, run: findmnt (which does not wait for it)", err)
	}
	if err != nil {
		return err
	}
	return <-result
}
