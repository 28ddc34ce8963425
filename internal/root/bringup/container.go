package bringup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// transientLimit is how long a container is waited for that is being removed or
// restarted.
const transientLimit = 20 * time.Second

// bringUp looks at what the engine has and does what is missing, which it returns. The
// lock is held.
func (a *coldLogin) bringUp(ctx context.Context) (missing ColdReason, err error) {
	for end := time.Now().Add(transientLimit); ; {
		found, err := a.engine.Find(ctx, a.plan.Container)
		if errors.Is(err, engine.ErrNotFound) && a.plan.MayAdopt() {
			return "", usererr.New(usererr.Container, "there is no container "+a.plan.Container,
				"ask the administrator to run: docker create --name "+a.plan.Container+" IMAGE (with adopt, containers are made by hand)", nil)
		}
		if errors.Is(err, engine.ErrNotFound) {
			missing := a.whyMissing()
			err := a.create(ctx)
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
		if ours && a.isHalfMade(found) && !a.inUse() {
			if err := a.removeHalfMade(ctx, found.ID); err != nil {
				return "", err
			}
			continue
		}
		if !ours && canStartAdopted(found.State) {
			return NotRunning, a.startAdopted(ctx, found)
		}
		if found.State == engine.Running && !a.plan.Engine().Local() {
			return ExecStream, a.writeState(found)
		}
		switch found.State {
		case engine.Running:
			return NoAgent, a.startAgentIn(ctx, found, owner)
		case engine.Exited:
			return NotRunning, a.startStopped(ctx, found, owner)
		case engine.Paused:
			// Somebody paused it on purpose, and a login must not undo that.
			return "", a.containerError("is paused", a.hint(ours, "start", "unpause"), nil)
		case engine.Created, engine.Dead:
			// Half made by a broker that was killed, and nobody ever worked in it; or its
			// removal began and failed, and nothing is left to start.
			if err := lifecycle.RemoveFromEngine(ctx, a.engine, a.b.Inventory, found); err != nil {
				return "", err
			}
		default: // removing, restarting
			if time.Now().After(end) {
				return "", a.containerError("is "+string(found.State)+" and does not get ready", "try again, or "+a.hint(ours, "restart", "inspect"), nil)
			}
			wait.Sleep(ctx, 100*time.Millisecond)
		}
	}
}

// hint names the command for a container of ours, or for an adopted one, which
// dockershctl leaves alone.
func (a *coldLogin) hint(ours bool, dockershctl, docker string) string {
	if ours {
		return "ask the administrator to run: dockershctl " + dockershctl + " " + a.plan.Container
	}
	return "ask the administrator to run: docker " + docker + " " + a.plan.Container
}

// create makes the container, with its user in it, and starts it. If a step fails, the
// container is removed again: nobody has worked in it yet.
func (a *coldLogin) create(ctx context.Context) (err error) {
	s := a.plan.Settings
	imageID, err := a.b.Images.Provide(ctx, a.engine, a.plan, a.show)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, makeLimit)
	defer cancel()
	if err := a.checkSources(ctx, nil); err != nil {
		return err
	}
	release, err := a.takeSlot(ctx)
	if err != nil {
		return err
	}
	defer release()
	accounts, err := a.b.Images.Accounts(ctx, a.engine, imageID)
	if err != nil {
		return err
	}
	user, err := a.users().resolve(ctx, accounts, a.plan.ForeignImage())
	if err != nil {
		return err
	}
	files, err := accountFiles(accounts, user, !s.MountHome, a.plan.ForeignImage())
	if err != nil {
		return err
	}
	if !a.plan.Engine().Local() {
		if files, err = withHelper(files, a.b.Helpers); err != nil {
			return err
		}
	}
	places, err := a.hostPlaces(ctx, user)
	if err != nil {
		return err
	}
	a.show("making the container")
	spec := a.plan.Spec(user, imageID, places)
	// Written before the container exists: if this broker is killed, another one finds
	// and removes it.
	if err := a.writeState(&engine.Container{Labels: spec.Labels, Image: s.ImageName}); err != nil {
		return err
	}
	made, err := a.engine.Create(ctx, spec)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			a.discard(made.ID)
			err = explainFailure(ctx, a.engine, user, err)
		}
	}()
	if err := a.putFiles(ctx, made, files); err != nil {
		return err
	}
	if err := a.writeOwner(a.plan.Owner); err != nil {
		return err
	}
	if a.late == nil {
		a.addToInventory(made)
	}
	a.b.Log.Info("container made", "container", a.plan.Container, "id", made.ID, "user", a.plan.User.Name, "image", s.ImageName)
	return a.start(ctx, made, user, release)
}

// discard removes a half-made container, even if the time for the login is up.
func (a *coldLogin) discard(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := a.removeHalfMade(ctx, id); err != nil {
		a.b.Log.Error("cannot remove a half-made container", "container", a.plan.Container, "id", id, "cause", err)
	}
}

// startStopped starts a container that is stopped.
func (a *coldLogin) startStopped(ctx context.Context, found *engine.Container, owner policy.Owner) error {
	if err := a.checkSources(ctx, found); err != nil {
		return err
	}
	release, err := a.takeSlot(ctx)
	if err != nil {
		return err
	}
	defer release()
	user, err := a.users().resolveFor(ctx, found)
	if err != nil {
		return err
	}
	if err := errors.Join(a.writeOwner(owner), a.writeState(found)); err != nil {
		return err
	}
	a.show("starting the container")
	return a.start(ctx, found, user, release)
}

// start starts the container, releases its slot at the engine, and waits for the agent. Of c it needs the id and our labels.
func (a *coldLogin) start(ctx context.Context, c *engine.Container, user account.Identity, release func()) error {
	if err := a.checkPlaces(c, user); err != nil {
		return err
	}
	if !a.plan.Engine().Local() {
		if err := a.engine.Start(ctx, c.ID); err != nil {
			return err
		}
		_, err := a.findRunning(ctx)
		return err
	}
	w, err := a.awaitAgent(user)
	if err != nil {
		return err
	}
	defer w.close()
	home, err := lifecycle.Start(ctx, a.engine, a.dir, c)
	if errors.Is(err, lifecycle.ErrStillMounted) {
		a.b.Log.Error("cannot unmount a home", "container", a.plan.Container, "cause", err)
		err = nil
	}
	if err != nil {
		return err
	}
	release()
	running, err := a.findRunning(ctx)
	if err != nil {
		return err
	}
	users, err := a.userNamespace(ctx, running)
	if err != nil {
		return err
	}
	uid, err := policy.HostUID(users, user)
	if err == nil {
		err = checkHome(a.plan, uid, users, home)
	}
	if err != nil {
		return errors.Join(err, a.engine.Stop(ctx, c.ID, 0)) // nobody has entered it yet
	}
	inside, err := a.verifyMounts(ctx, running, users)
	if err != nil {
		return err
	}
	defer inside.Close()
	if err := a.writeLateFiles(inside, users, c, user); err != nil {
		return err
	}
	w.setUID(uid)
	if c.Labels[engine.LabelAgent] != a.plan.Agent {
		return a.startFurtherAgent(ctx, c.ID, inside, users, user, w)
	}
	return a.waitForAgent(ctx, w, agentLimit)
}

// startAgentIn starts the agent that a running container lacks.
func (a *coldLogin) startAgentIn(ctx context.Context, found *engine.Container, owner policy.Owner) error {
	user, err := a.users().resolveFor(ctx, found)
	if err != nil {
		return err
	}
	if err := errors.Join(a.dir.SetOwner(owner), a.writeState(found)); err != nil {
		return err
	}
	w, err := a.awaitAgent(user)
	if err != nil {
		return err
	}
	defer w.close()
	if found, err = a.findRunning(ctx); err != nil { // its process 1 may be another by now
		return err
	}
	users, err := a.userNamespace(ctx, found)
	if err != nil {
		return err
	}
	uid, err := policy.HostUID(users, user)
	if err != nil {
		return err
	}
	inside, err := a.verifyMounts(ctx, found, users)
	if err != nil {
		return err
	}
	defer inside.Close()
	w.setUID(uid)
	if found.Labels[engine.LabelAgent] == a.plan.Agent {
		// Process 1 is an agent that has not met a broker yet: the container was started
		// by hand, with what is mounted now.
		if err := lifecycle.RecordSources(a.dir, found); err != nil {
			return err
		}
		if err := w.wait(ctx, firstAgentLimit); !errors.Is(err, errSilent) {
			return err
		}
	}
	return a.startFurtherAgent(ctx, found.ID, inside, users, user, w)
}

// startFurtherAgent starts an agent beside process 1: for another container user, or
// because process 1 is not ours. inside was just verified.
func (a *coldLogin) startFurtherAgent(ctx context.Context, id string, inside *rootfs.Root, users idmap.Map, user account.Identity, w *startSocket) error {
	a.addUser(inside, users, user)
	if err := a.engine.Exec(ctx, id, user.UID, user.GID, []string{policy.InitInside}); err != nil {
		return err
	}
	return a.waitForAgent(ctx, w, furtherAgentLimit)
}

// waitForAgent waits for an agent that was just started, as long as its container runs.
func (a *coldLogin) waitForAgent(ctx context.Context, w *startSocket, limit time.Duration) error {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if err := w.wait(ctx, 500*time.Millisecond); !errors.Is(err, errSilent) {
			return err
		}
		if _, err := a.findRunning(ctx); err != nil {
			return err
		}
	}
	return agentSilent(a.plan.Container, errSilent)
}

// findRunning returns the container, or why it does not run.
func (a *coldLogin) findRunning(ctx context.Context) (*engine.Container, error) {
	found, err := a.engine.Find(ctx, a.plan.Container)
	if err != nil {
		return nil, err
	}
	if found.State == engine.Exited || found.State == engine.Dead {
		return nil, a.containerError("ended as soon as it was started", usererr.ReadLog, fmt.Errorf("exit code %d", found.ExitCode))
	}
	return found, nil
}

// sourcesOf returns what is mounted from the host: the home, and volumes that name a
// directory; and what a container that exists mounts besides. Options of dockeropt are the
// administrator's own words to the engine.
func sourcesOf(s *config.Settings, found *engine.Container, dir state.ContainerDir) (sources []string) {
	if s.MountHome {
		sources = append(sources, s.MountHomeFrom)
	}
	for _, v := range s.Volume {
		if source, _, ok := strings.Cut(v, ":"); ok && strings.HasPrefix(source, "/") {
			sources = append(sources, source)
		}
	}
	if found == nil {
		return sources
	}
	options := strings.Join(slices.Concat(s.DockerOpt...), "\n")
	for _, source := range found.Binds {
		switch {
		case source == dir.Mounted(), source == dir.Home(), source == "/tmp" && s.MountTmp, source == s.DockerSocket && s.MountDockerSocket:
		case strings.Contains(options, source), slices.Contains(sources, source):
		default:
			sources = append(sources, source)
		}
	}
	return sources
}

func checkMountSources(sources []string) error {
	for _, source := range sources {
		if err := lifecycle.CheckMountSource(source); err != nil {
			return err
		}
	}
	return nil
}

// writeState writes the container's retention and what it was made from, in this order,
// so that no container is known that nobody would look after. One that has no id yet is
// about to be made. The lock is held.
func (a *coldLogin) writeState(c *engine.Container) error {
	r := state.Retention{Engine: a.plan.Engine(), IdleTimeout: a.plan.Settings.IdleTimeout}
	r.Linger, r.Ephemeral = policy.Ephemeral(c.Labels)
	if err := a.b.State.Retentions().Set(a.plan.Container, r); err != nil {
		return err
	}
	if c.ID != "" {
		a.addToInventory(c)
	}
	owner, _ := policy.OwnerOf(c.Labels)
	return a.dir.SetMade(state.Made{UID: owner.UID, Settings: c.Labels[engine.LabelSettings], Image: c.Image, ImageID: c.Labels[engine.LabelImage]})
}

// writeOwner writes for whom a container of this host is, for warm logins. There are
// none to containers elsewhere.
func (a *coldLogin) writeOwner(owner policy.Owner) error {
	if !a.plan.Engine().Local() {
		return nil
	}
	return a.dir.SetOwner(owner)
}
