package launch

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/mounts"
	"github.com/dockersh/dockersh/internal/root/startsocket"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// StartStopped starts a container that is stopped.
func (t *Target) StartStopped(ctx context.Context, found *engine.Container, owner policy.Owner) error {
	if err := t.checkSources(ctx, found); err != nil {
		return err
	}
	release, err := t.l.acquireSlot(ctx, t.plan.User.UID, t.plan.ForeignImage())
	if err != nil {
		return err
	}
	defer release()
	user, err := t.users().resolveFor(ctx, found)
	if err != nil {
		return err
	}
	if err := errors.Join(t.writeOwner(owner), t.WriteState(found)); err != nil {
		return err
	}
	t.show("starting the container")
	return t.start(ctx, found, user, nil, release)
}

// StartAdopted starts an adopted container that does not run, unless it is dead. Nothing
// else is done to it, now or later.
func (t *Target) StartAdopted(ctx context.Context, found *engine.Container) error {
	if found.State == engine.Dead {
		return t.Error("is dead", "ask the administrator to run: "+t.engine.Program()+" rm "+t.plan.Container, nil)
	}
	release, err := t.l.acquireSlot(ctx, t.plan.User.UID, t.plan.ForeignImage())
	if err != nil {
		return err
	}
	defer release()
	t.show("starting the container")
	return t.engine.Start(ctx, found.ID)
}

// start starts the container, writes the files that are late, releases its slot at the
// engine, and waits for the agent. Of c it needs the id, the mounts and our labels.
func (t *Target) start(ctx context.Context, c *engine.Container, user passwd.Identity, late []engine.File, release func()) error {
	if err := checkMountTargets(t.plan, c, user); err != nil {
		return err
	}
	if !t.plan.Engine().Local() {
		if err := t.engine.Start(ctx, c.ID); err != nil {
			return err
		}
		_, err := t.findRunning(ctx)
		return err
	}
	a, err := t.awaitAgent(user)
	if err != nil {
		return err
	}
	defer a.close()
	home, err := lifecycle.Start(ctx, t.engine, t.dir, c)
	if errors.Is(err, lifecycle.ErrStillMounted) {
		t.l.Log.Error("cannot unmount a home", "container", t.plan.Container, "cause", err)
		err = nil
	}
	if err != nil {
		return err
	}
	release()
	running, err := t.findRunning(ctx)
	if err != nil {
		return err
	}
	uid, err := a.openRoot(ctx, running)
	if err == nil {
		err = checkHome(t.plan, uid, a.users, home)
	}
	if err != nil {
		return errors.Join(err, t.engine.Stop(ctx, c.ID, 0)) // nobody has entered it yet
	}
	if err := a.verify(ctx, running, late == nil); err != nil {
		return err
	}
	if late != nil {
		if err := a.writer().WriteNew(late, c); err != nil {
			return err
		}
		if err := t.setWhole(c); err != nil {
			return err
		}
	}
	if t.follows {
		a.writer().WriteFollower(t.late, c)
	}
	a.awaitUID(uid)
	if c.Labels[engine.LabelAgent] != t.plan.Agent {
		return a.startFurther(ctx, c.ID)
	}
	if err := a.wait(ctx, agentLimit); !errors.Is(err, startsocket.ErrOtherGroups) {
		return err
	}
	return a.startFurther(ctx, c.ID)
}

// StartAgent starts the agent that a running container lacks.
func (t *Target) StartAgent(ctx context.Context, found *engine.Container, owner policy.Owner) error {
	user, err := t.users().resolveFor(ctx, found)
	if err != nil {
		return err
	}
	if err := errors.Join(t.dir.SetOwner(owner), t.WriteState(found)); err != nil {
		return err
	}
	a, err := t.awaitAgent(user)
	if err != nil {
		return err
	}
	defer a.close()
	if found, err = t.findRunning(ctx); err != nil { // its process 1 may be another by now
		return err
	}
	uid, err := a.openRoot(ctx, found)
	if err != nil {
		return err
	}
	if err := a.verify(ctx, found, true); err != nil {
		return err
	}
	waits := found.Labels[engine.LabelAgent] == t.plan.Agent && !(t.plan.Groups != nil && a.hasMet)
	a.awaitUID(uid)
	if waits {
		// Process 1 is an agent that has not met a broker yet: the container was started
		// by hand, with what is mounted now.
		if err := lifecycle.RecordSources(t.dir, found); err != nil {
			return err
		}
		err := a.socket.Wait(ctx, firstAgentLimit)
		if !errors.Is(err, startsocket.ErrSilent) && !errors.Is(err, startsocket.ErrOtherGroups) {
			return err
		}
	}
	return a.startFurther(ctx, found.ID)
}

// ErrEnded is the cause where a container ended while it was being started. Its process 1 may do
// that by itself, or the engine was restarted.
var ErrEnded = errors.New("the container ended")

// findRunning returns the container, or why it does not run: ErrEnded.
func (t *Target) findRunning(ctx context.Context) (*engine.Container, error) {
	found, err := t.engine.Find(ctx, t.plan.Container)
	if err != nil {
		return nil, err
	}
	if found.State == engine.Exited || found.State == engine.Dead {
		return nil, t.Error("ended as soon as it was started", usererr.ReadLog, fmt.Errorf("%w: exit code %d", ErrEnded, found.ExitCode))
	}
	return found, nil
}

// checkMountTargets is mounts.CheckMountTargets where a program in the container may gain
// rights, as it was made or by today's settings.
func checkMountTargets(plan *policy.Plan, c *engine.Container, user passwd.Identity) error {
	local := plan.Engine().Local()
	if user.UID == 0 || !plan.RightsMayGrow() && !c.MayGain || local && os.Geteuid() != 0 {
		return nil // nothing is to be gained, or whoever comes here may ask the engine for it
	}
	return mounts.CheckMountTargets(c, user.Home, local)
}
