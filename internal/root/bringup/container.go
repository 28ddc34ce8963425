package bringup

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/launch"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// transientLimit is how long a container is waited for that is being removed or
// restarted.
const transientLimit = 20 * time.Second

// elsewherePause is the pause between two looks at a container that another login host makes.
const elsewherePause = time.Second / 2

// bringUp looks at what the engine has and does what is missing, which it returns. The
// lock is held.
func (a *coldLogin) bringUp(ctx context.Context) (missing ColdReason, err error) {
	limit := transientLimit
	if a.plan.Engine().IsCluster() { // another login host may be making it
		limit = launch.MakeLimit
	}
	for end := time.Now().Add(limit); ; {
		found, err := a.engine.Find(ctx, a.plan.Container)
		if errors.Is(err, engine.ErrNotFound) && a.plan.MayAdopt() {
			return "", usererr.New(usererr.Container, "there is no container "+a.plan.Container,
				"ask the administrator to run: "+a.engine.Program()+" create --name "+a.plan.Container+
					" IMAGE (with adopt, containers are made by hand)", nil)
		}
		if errors.Is(err, engine.ErrNotFound) && a.b.Inventory != "" && a.plan.Engine().Local() {
			restored, restoreErr := a.place().Restore(ctx)
			if restoreErr != nil {
				return "", restoreErr
			}
			if restored {
				continue
			}
		}
		if errors.Is(err, engine.ErrNotFound) && a.login.KnownOnly {
			return "", policy.ErrUsersWord
		}
		if errors.Is(err, engine.ErrNotFound) {
			missing := NotCreated
			last, vanished := a.target.Vanished()
			if vanished {
				missing = Vanished
			}
			err := a.target.Create(ctx)
			if vanished && err == nil {
				a.target.LogVanished(last)
			}
			if errors.Is(err, engine.ErrNameTaken) && time.Now().Before(end) {
				continue // another broker was faster, or one of that name is being removed
			}
			return missing, err
		}
		if err != nil {
			return "", err
		}
		owner, ours, err := a.plan.Admit(found.Labels, os.Geteuid())
		if err != nil {
			return "", err
		}
		if ours && a.target.IsHalfMade(found) && !a.target.InUse() {
			if err := a.target.RemoveHalfMade(ctx, found.ID); err != nil {
				return "", err
			}
			continue
		}
		if !ours {
			switch found.State {
			case engine.Running: // by hand, just now
				return ExecStream, nil
			case engine.Created, engine.Exited, engine.Dead:
				return NotRunning, a.target.StartAdopted(ctx, found)
			}
		}
		if found.State == engine.Running && !a.plan.Engine().Local() {
			return ExecStream, a.target.WriteState(found)
		}
		if found.State == engine.Exited && a.plan.Engine().IsCluster() {
			found.State = engine.Dead // a pod has one life
		}
		switch found.State {
		case engine.Running:
			return NoAgent, a.target.StartAgent(ctx, found, owner)
		case engine.Exited:
			return NotRunning, a.target.StartStopped(ctx, found, owner)
		case engine.Paused:
			// Somebody paused it on purpose, and a login must not undo that.
			return "", a.target.Error("is paused", a.hint(ours, "start", "unpause"), nil)
		case engine.Created, engine.Dead:
			// Half made by a broker that was killed, and nobody ever worked in it; or its
			// removal began and failed, and nothing is left to start.
			err := lifecycle.RemoveFromEngine(ctx, a.engine, a.b.Inventory, found)
			if errors.Is(err, engine.ErrInUse) {
				if time.Now().After(end) {
					return "", a.target.Error("is being made by another login host, and does not get ready", "try again", err)
				}
				a.show("waiting for another login host, which makes the container")
				wait.Sleep(ctx, elsewherePause)
				continue
			}
			if err != nil {
				return "", err
			}
		default: // removing, restarting
			if time.Now().After(end) {
				return "", a.target.Error("is "+string(found.State)+" and does not get ready",
					"try again, or "+a.hint(ours, "restart", "inspect"), nil)
			}
			wait.Sleep(ctx, 100*time.Millisecond)
		}
	}
}

// hint names the command for a container of ours, or for an adopted one, which
// dockershctl leaves alone.
func (a *coldLogin) hint(ours bool, dockershctl, engines string) string {
	if ours {
		return "ask the administrator to run: dockershctl " + dockershctl + " " + a.plan.Container
	}
	return "ask the administrator to run: " + a.engine.Program() + " " + engines + " " + a.plan.Container
}
