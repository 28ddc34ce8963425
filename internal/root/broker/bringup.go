package broker

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/life"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

const (
	bringUpLimit = 2 * time.Minute  // all but the pull
	pullLimit    = 60 * time.Minute // of an image; ends when the user gives up
	removeLimit  = 20 * time.Second // for a container that is being removed
)

// cold is one bring-up: a container that is made, started, or given an agent.
type cold struct {
	*Broker
	front  *front
	plan   *policy.Plan
	dir    rundir.Dir
	engine engine.Engine
	show   func(line string)
}

// bringUp makes sure that the container runs with an agent for the plan's user,
// and connects to it.
func (b *Broker) bringUp(f *front, plan *policy.Plan) (channel.Conn, error) {
	ctx, cancel := context.WithTimeout(b.stop, pullLimit+bringUpLimit)
	defer cancel()
	show, done := b.report(f, cancel)
	defer done()
	e, err := b.engines.get(plan.Engine())
	if err != nil {
		return channel.Conn{}, engineTrouble(err)
	}
	c := &cold{Broker: b, front: f, plan: plan, dir: rundir.Of(b.Run, plan.Container), engine: e, show: show}
	if plan.Streams() {
		if agent, err := c.stream(ctx); err != errNotYet {
			return agent, engineTrouble(err)
		}
	}
	show("waiting for the container") // others may be at it, or have all the places at the engine
	for tries := 0; ; tries++ {
		if err := b.sessions.SetComing(f.record, true); err != nil {
			return channel.Conn{}, err
		}
		// Logins of one container user share the work and its outcome, so that they
		// are one in the queue for the container, however many they are.
		led, err := b.flights.join(ctx, string(c.dir)+"/"+plan.Agent, func() error { return c.once(ctx) })
		if !led && errors.Is(err, context.Canceled) && ctx.Err() == nil {
			continue // whoever did it gave up; we have not
		}
		if err != nil {
			return channel.Conn{}, engineTrouble(err)
		}
		if err := b.sessions.SetComing(f.record, false); err != nil {
			return channel.Conn{}, err
		}
		agent, err := b.meet(f, plan)
		if err == rundir.ErrCold && plan.Streams() {
			agent, err = c.stream(ctx)
		}
		if err != rundir.ErrCold && err != errNotYet {
			return agent, engineTrouble(err)
		}
		if tries == mostTries {
			return agent, errNoAgent(nil)
		}
		// It ended again, or was taken away before it was known that we are there.
	}
}

// mostTries is how often a login makes its container once more.
const mostTries = 3

// once makes an agent listen, unless there is one.
func (c *cold) once(ctx context.Context) error {
	release, err := c.hold(ctx, c.dir)
	if err != nil {
		return err
	}
	defer release()
	if err := c.renew(ctx); err != nil {
		return err
	}
	// Whoever had the lock before may have done it all.
	if agent, err := c.warm(c.plan); err == nil {
		return agent.Close()
	} else if err != rundir.ErrCold {
		return err
	}
	return c.ensure(ctx)
}

// engineTurn waits for one of the places at the engine. It must not be held while
// something is awaited that is in a user's hands.
func (c *cold) engineTurn(ctx context.Context) (release func(), err error) {
	select {
	case c.work <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	others := func() {}
	if !c.keeping.Load() { // no service: all brokers of one session share the places
		if others, err = rundir.Turn(ctx, c.Run, atOnce); err != nil {
			<-c.work
			return nil, err
		}
	}
	return sync.OnceFunc(func() { others(); <-c.work }), nil
}

// ensure looks at what there is and does what is missing.
func (c *cold) ensure(ctx context.Context) error {
	for end := time.Now().Add(removeLimit); ; {
		found, err := c.engine.Find(ctx, c.plan.Container)
		if errors.Is(err, engine.ErrNotFound) && c.plan.MayAdopt() {
			return usererr.New(usererr.Container, "there is no container "+c.plan.Container, "ask the administrator: with adopt it is made by hand", nil)
		}
		if errors.Is(err, engine.ErrNotFound) {
			err := c.create(ctx)
			if errors.Is(err, engine.ErrNameTaken) && time.Now().Before(end) {
				continue // another broker was faster; or it is on its way out
			}
			return err
		}
		if err != nil {
			return err
		}
		owner, ours, err := c.plan.Admit(found.Labels, os.Geteuid())
		if err != nil {
			return err
		}
		if !ours && wakes(found.State) {
			return c.wake(ctx, found)
		}
		if found.State == engine.Running && !c.plan.Engine().Local() {
			return c.note(found.Labels, found.Image)
		}
		switch found.State {
		case engine.Running:
			return c.equip(ctx, found, owner)
		case engine.Exited:
			return c.restart(ctx, found, owner)
		case engine.Paused:
			// Somebody did that on purpose, and a login must not undo it.
			return usererr.New(usererr.Container, "the container "+c.plan.Container+" is paused", "ask the administrator", nil)
		case engine.Created, engine.Dead:
			// Half made by a broker that was killed, and nobody ever worked in it;
			// or its removal began and failed: there is nothing in it to start.
			if err := c.engine.Remove(ctx, found.ID); err != nil && !errors.Is(err, engine.ErrNotFound) {
				return err
			}
		default: // removing, restarting
			if time.Now().After(end) {
				return usererr.New(usererr.Container, "the container "+c.plan.Container+" is "+string(found.State)+" and does not get ready",
					"try again, or ask the administrator", nil)
			}
			pause(ctx, 100*time.Millisecond)
		}
	}
}

// create makes the container, with the user in it, and starts it. Whatever fails
// on the way takes the container with it: nobody has worked in it yet.
func (c *cold) create(ctx context.Context) (err error) {
	s := c.plan.Settings
	imageID, err := c.image(ctx)
	if err != nil {
		return err
	}
	release, err := c.engineTurn(ctx)
	if err != nil {
		return err
	}
	defer release()
	img, err := c.images.of(ctx, c.engine, imageID)
	if err != nil {
		return err
	}
	who, err := c.who(ctx, img)
	if err != nil {
		return err
	}
	files, err := img.with(who, !s.MountHome)
	if err != nil {
		return err
	}
	if c.plan.Engine().Local() {
		err = c.sources()
	} else {
		files, err = c.withHelper(files)
	}
	if err != nil {
		return err
	}
	at, err := c.places(ctx, who)
	if err != nil {
		return err
	}
	c.show("making the container")
	spec := c.plan.Spec(who, imageID, at)
	// Before it is there: should we be killed, another broker finds and removes it.
	if err := c.note(spec.Labels, s.ImageName); err != nil {
		return err
	}
	made, err := c.engine.Create(ctx, spec)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			c.discard(made.ID)
			err = c.unfit(ctx, who, err)
		}
	}()
	if err := c.engine.PutFiles(ctx, made.ID, files); err != nil {
		return err
	}
	if err := c.own(c.plan.Owner); err != nil {
		return err
	}
	c.Log.Info("container made", "container", c.plan.Container, "id", made.ID, "user", c.plan.User.Name, "image", s.ImageName)
	return c.start(ctx, made, who, release)
}

// discard removes what was half made, even if the time for the login is up.
func (c *cold) discard(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := c.engine.Remove(ctx, id); err != nil && !errors.Is(err, engine.ErrNotFound) {
		c.Log.Error("cannot remove a half-made container", "container", c.plan.Container, "id", id, "cause", err)
	}
}

// restart starts a container that is stopped.
func (c *cold) restart(ctx context.Context, found *engine.Container, owner policy.Owner) error {
	release, err := c.engineTurn(ctx)
	if err != nil {
		return err
	}
	defer release()
	who, err := c.whoOf(ctx, found)
	if err != nil {
		return err
	}
	if c.plan.Engine().Local() {
		if err := c.sources(); err != nil {
			return err
		}
	}
	if err := errors.Join(c.own(owner), c.note(found.Labels, found.Image)); err != nil {
		return err
	}
	c.show("starting the container")
	return c.start(ctx, found, who, release)
}

// equip gives a running container the agent that it lacks.
func (c *cold) equip(ctx context.Context, found *engine.Container, owner policy.Owner) error {
	who, err := c.whoOf(ctx, found)
	if err != nil {
		return err
	}
	if err := errors.Join(c.dir.SetOwner(owner), c.note(found.Labels, found.Image)); err != nil {
		return err
	}
	w, err := c.await(who)
	if err != nil {
		return err
	}
	defer w.close()
	users, err := c.usersOf(ctx, found)
	if err != nil {
		return err
	}
	uid, err := policy.HostUID(users, who)
	if err != nil {
		return err
	}
	w.expect(uid)
	if found.Labels[engine.LabelAgent] == c.plan.Agent {
		// Process 1 is an agent that has not met a broker yet: the container was
		// started by hand.
		if err := w.wait(ctx, ownAgentLimit); !errors.Is(err, errSilent) {
			return err
		}
	}
	return c.further(ctx, found.ID, who, w)
}

// start starts the container and, when it has given its place at the engine back,
// waits for the agent. Of found it needs the id and our labels.
func (c *cold) start(ctx context.Context, found *engine.Container, who account.Identity, release func()) error {
	if !c.plan.Engine().Local() {
		if err := c.engine.Start(ctx, found.ID); err != nil {
			return err
		}
		return c.alive(ctx)
	}
	w, err := c.await(who)
	if err != nil {
		return err
	}
	defer w.close()
	made, err := life.Start(ctx, c.engine, c.dir, found)
	if errors.Is(err, life.ErrLeft) {
		c.Log.Error("cannot unmount a home", "container", c.plan.Container, "cause", err)
		err = nil
	}
	if err != nil {
		return err
	}
	release()
	running, err := c.running(ctx)
	if err != nil {
		return err
	}
	users, err := c.usersOf(ctx, running)
	if err != nil {
		return err
	}
	uid, err := policy.HostUID(users, who)
	if err == nil {
		err = c.rightHome(uid, users, made)
	}
	if err != nil {
		return errors.Join(err, c.engine.Stop(ctx, found.ID, 0)) // nobody has entered it yet
	}
	w.expect(uid)
	if found.Labels[engine.LabelAgent] != c.plan.Agent {
		return c.further(ctx, found.ID, who, w)
	}
	return w.waitWatching(ctx, agentLimit, func() error { return c.alive(ctx) })
}

// further starts an agent beside process 1: for another container user, or
// because process 1 is not ours.
func (c *cold) further(ctx context.Context, id string, who account.Identity, w *awaited) error {
	if c.plan.Settings.Entrypoint == config.Internal {
		c.introduce(ctx, id, who)
	}
	if err := c.engine.Exec(ctx, id, who.UID, who.GID, []string{policy.InitInside}); err != nil {
		return err
	}
	return w.waitWatching(ctx, furtherLimit, func() error { return c.alive(ctx) })
}

// alive tells why a container that should be running is not.
func (c *cold) alive(ctx context.Context) error {
	_, err := c.running(ctx)
	return err
}

func (c *cold) running(ctx context.Context) (*engine.Container, error) {
	found, err := c.engine.Find(ctx, c.plan.Container)
	if err != nil {
		return nil, err
	}
	if found.State == engine.Exited || found.State == engine.Dead {
		return nil, usererr.New(usererr.Container, "the container "+c.plan.Container+" ended as soon as it was started",
			"ask the administrator", errors.New("exit code "+itoa(found.ExitCode)))
	}
	return found, nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
