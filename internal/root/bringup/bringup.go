// Package bringup leads from a plan to a connected agent. A warm login finds an agent that
// listens, and asks no engine. For a cold one it looks at what the container lacks, has
// package launch do it, and connects.
package bringup

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/presence"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/images"
	"github.com/dockersh/dockersh/internal/root/launch"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// maxTries is how many more times a login starts a container that ended or was removed
// before it entered.
const maxTries = 3

// Config is what a Bringup works with.
type Config struct {
	launch.Config
	Locks   *state.Locks
	Engines *engine.Clients
	Bridge  string // path of dockersh-bridge
	// PodBridge is the command line of the bridge for sessions in pods of a cluster.
	PodBridge []string

	// HostNetwork is the path of the host's network namespace, for reverse forwards.
	HostNetwork string

	// AdminSettings returns the administrator's settings for a user; nil if they cannot
	// be known.
	AdminSettings func(ctx context.Context, uid uint32) *config.Settings
}

// Bringup brings containers up, for many logins at once.
type Bringup struct {
	Config
	shared   wait.Group[ColdReason]
	launch   *launch.Launcher
	bridges  wait.Quota[uint32] // those that this process started, by the user's uid
	carriers wait.Quota[uint32] // likewise
	carries  *wait.Turns        // one for each container that is carried over
	full     wait.Quota[string] // logins that wait for a slot in an agent's queue, by its path
}

// New returns a Bringup.
func New(c Config) *Bringup {
	return &Bringup{
		Config: c, launch: launch.New(c.Config),
		bridges: wait.Quota[uint32]{Each: maxBridges}, carriers: wait.Quota[uint32]{Each: maxCarriers},
		full:    wait.Quota[string]{Each: maxWaiting},
		carries: wait.NewTurns(carriesAtOnce, 1),
	}
}

// Queue returns how many slots at the engine are taken, and how many containers wait for one.
func (b *Bringup) Queue() (taken, waiting int) { return b.launch.Queue() }

// Login is one login on its way into a container.
type Login struct {
	Plan    *policy.Plan
	Session *state.Session // its entry, already written

	// KnownOnly: what the user's own file has is not known. No container is made or
	// recreated.
	KnownOnly bool

	// Report begins to show the user what is being done, until done. A front that is
	// gone cancels the work. It is called for cold logins only.
	Report func(cancel context.CancelFunc) (show func(line string), done func())
}

// ColdReason is the reason why a login was not warm.
type ColdReason string

// The reasons, as they stand in the log and in the history of sessions.
const (
	Warm        ColdReason = ""
	NotCreated  ColdReason = "container did not exist"
	Vanished    ColdReason = "container was removed outside dockersh"
	NotRunning  ColdReason = "container was not running"
	NoAgent     ColdReason = "no agent was running for the container user"
	ExecStream  ColdReason = "session goes over the engine's exec"
	Waited      ColdReason = "waited for another login to the container"
	MayRecreate ColdReason = "onchange = recreate, and nobody was in the container"
	NewSettings ColdReason = "recreated: the settings changed"
	NewImage    ColdReason = "recreated: the image changed"
	NewLimits   ColdReason = "the limits of the container were changed"
	NewEngine   ColdReason = "the settings name another engine"
	CarriedOver ColdReason = "carried over to other settings"
	NewSource   ColdReason = "restarted: a mounted directory of the host was replaced"
)

// Result is what Enter returns of a login.
type Result struct {
	Conn channel.Conn // to the agent, or to a bridge
	Cold ColdReason

	// Replaced is a directory of the host that is mounted into the container, and is
	// another one by now on the host: what is written inside does not get there. Empty if
	// there is none, or that cannot be known.
	Replaced string

	// Unforwarded names in one line which reverse forwards are not there, and why. Empty
	// if there is none.
	Unforwarded string
}

// Enter connects a login to the agent of its container, which runs afterwards. Where the
// session is recorded, or has no agent, the connection is to a bridge. Errors are ready for
// the user; engine.ErrNoClient where an engine is needed by a program without a client.
func (b *Bringup) Enter(ctx context.Context, l Login) (Result, error) {
	entered, err := b.enter(ctx, l)
	if err == nil {
		entered.Unforwarded = b.ensureReverse(ctx, l.Plan)
	}
	return entered, err
}

func (b *Bringup) enter(ctx context.Context, l Login) (Result, error) {
	replaced, mayEnter := b.mayEnterAsIs(l)
	if mayEnter {
		if conn, err := b.connect(l); !errors.Is(err, errNoAgent) {
			return Result{Conn: conn, Replaced: replaced}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, images.PullLimit+launch.MakeLimit)
	defer cancel()
	show, done := l.Report(cancel)
	defer done()
	a, err := b.newColdLogin(l, show)
	if err != nil {
		return Result{}, userError(err)
	}
	conn, cold, err := a.enter(ctx)
	if err != nil {
		return Result{}, userError(err)
	}
	return Result{Conn: conn, Cold: cold, Replaced: b.launch.FindReplaced(l.Plan)}, nil
}

// mayEnterAsIs reports whether a container that runs may be entered without a look at what
// it was made of. replaced is as in Result.
func (b *Bringup) mayEnterAsIs(l Login) (replaced string, may bool) {
	if b.mayRecreate(l.Plan) || b.maySetLimits(l) {
		return "", false
	}
	made, err := b.State.Container(l.Plan.Container).Made()
	if err == nil && (b.mayLeaveEngine(l, made) || b.mayCarryOver(l, made)) {
		return "", false
	}
	replaced = b.launch.FindReplaced(l.Plan)
	return replaced, replaced == "" || !b.isAlone(l.Plan)
}

func (b *Bringup) newColdLogin(l Login, show func(line string)) (*coldLogin, error) {
	e, err := b.Engines.Get(l.Plan.Engine())
	if err != nil {
		return nil, err
	}
	if l.Plan.Engine().IsCluster() {
		host, err := b.State.Host()
		if err != nil {
			return nil, err
		}
		e = presence.Careful(e, l.Plan.Engine(), host)
	}
	return &coldLogin{b: b, login: l, plan: l.Plan, dir: b.State.Container(l.Plan.Container), engine: e, show: show,
		target: b.launch.Target(l.Plan, e, show)}, nil
}

// isAlone reports whether no session is in the container but that of a login which comes.
func (b *Bringup) isAlone(plan *policy.Plan) bool {
	inside, _ := b.State.Sessions().In(plan.Container)
	return inside <= 1 // this login
}

// coldLogin is one login on its way.
type coldLogin struct {
	b      *Bringup
	login  Login
	plan   *policy.Plan
	dir    state.ContainerDir
	engine engine.Engine
	show   func(line string)
	target *launch.Target

	presence engine.Presence // to other login hosts; empty where there are none
}

// enter brings the container up until the login is connected.
func (a *coldLogin) enter(ctx context.Context) (conn channel.Conn, cold ColdReason, err error) {
	over, err := a.announce(ctx)
	if err != nil {
		return conn, "", err
	}
	defer func() { over(err == nil) }()
	if a.plan.MayNeedExec() && !a.b.maySetLimits(a.login) {
		if conn, err := a.openExecStream(ctx); !errors.Is(err, errNotReady) {
			return conn, ExecStream, err
		}
	}
	return enterBy(ctx, a, func() (channel.Conn, error) {
		conn, err := a.b.connect(a.login)
		if errors.Is(err, errNoAgent) && a.plan.MayNeedExec() {
			if conn, err = a.openExecStream(ctx); errors.Is(err, errNotReady) {
				err = errNoAgent
			}
		}
		return conn, err
	})
}

// enterBy brings the container up until connect enters it. It is errNoAgent where it ended
// again, or was removed before it was known that we are there.
func enterBy[T any](ctx context.Context, a *coldLogin, connect func() (T, error)) (entered T, cold ColdReason, err error) {
	a.show("waiting for the container") // other logins may be at it, or have all the slots at the engine
	sessions := a.b.State.Sessions()
	for range maxTries + 1 {
		if err := sessions.SetWaiting(a.login.Session, true); err != nil {
			return entered, cold, err
		}
		did, err := a.provideAgentOnce(ctx)
		if err != nil {
			return entered, cold, err
		}
		if cold == "" {
			cold = did
		}
		if err := sessions.SetWaiting(a.login.Session, false); err != nil {
			return entered, cold, err
		}
		if entered, err := connect(); !errors.Is(err, errNoAgent) {
			return entered, cold, err
		}
	}
	return entered, cold, launch.ErrSilent(a.plan.Container, nil)
}

// Prepare makes sure that a login by a plan will be warm, as far as there are agents. Errors are
// ready for the user. It returns what was missing.
func (b *Bringup) Prepare(ctx context.Context, plan *policy.Plan) (ColdReason, error) {
	ctx, cancel := context.WithTimeout(ctx, images.PullLimit+launch.MakeLimit)
	defer cancel()
	a, err := b.newColdLogin(Login{Plan: plan, Session: &state.Session{}}, func(string) {})
	if err != nil {
		return "", userError(err)
	}
	over, err := a.announce(ctx)
	if err != nil {
		return "", userError(err)
	}
	defer over(false)
	cold, err := a.provideAgentOnce(ctx)
	if err != nil {
		return "", userError(err)
	}
	return cold, nil
}

// provideAgentOnce makes sure that an agent listens. Logins of the same container user share
// the work and its outcome, so that they are one in the queue for the container, however
// many they are.
func (a *coldLogin) provideAgentOnce(ctx context.Context) (ColdReason, error) {
	for {
		cold, leader, err := a.b.shared.Do(ctx, a.key(), func() (ColdReason, error) { return a.provideAgent(ctx) })
		switch {
		case leader:
			return cold, err
		case errors.Is(err, context.Canceled) && ctx.Err() == nil:
			continue // the login that did the work gave up; this one has not
		}
		return Waited, err
	}
}

// key is that of logins that share the work. A connection does less than a login would, and
// its outcome is not a login's. Nor is what fails by ~/.dockersh the outcome of one without.
func (a *coldLogin) key() string {
	key := string(a.dir) + "/" + a.plan.AgentKey()
	if a.plan.Settings != a.plan.Admins {
		key += "/user"
	}
	if a.login.Session.Connection {
		key += "/connection"
	}
	return key
}

// provideAgent makes an agent listen, unless one does. It returns what was missing.
func (a *coldLogin) provideAgent(ctx context.Context) (ColdReason, error) {
	unlock, err := a.b.Locks.Lock(ctx, a.plan.Container)
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := a.place().Recover(ctx); err != nil {
		return "", err
	}
	changed, err := a.leaveEngine(ctx)
	if err == nil && changed == "" {
		changed, err = a.recreateIfChanged(ctx)
	}
	if err == nil && changed == "" {
		changed, err = a.restartIfReplaced(ctx)
	}
	if err != nil {
		return "", err
	}
	if changed == "" {
		changed = a.setLimits(ctx)
		if carried, err := a.carryOver(ctx); err != nil || carried != "" {
			if err != nil {
				return "", err
			}
			changed = carried
		}
	}
	// The last holder of the lock may have done it all.
	if conn, err := a.b.dialAgent(a.plan); err == nil {
		if a.plan.Settings.OnChange == onChangeRecreate {
			return MayRecreate, conn.Close()
		}
		if changed != "" {
			return changed, conn.Close()
		}
		return Waited, conn.Close()
	} else if !errors.Is(err, errNoAgent) {
		return "", err
	}
	if made, err := a.dir.Made(); err == nil && isOnAnotherEngine(a.plan, made) && a.target.InUse() {
		return "", a.target.Error("is on another engine than the settings name, and others are in it",
			"try again when they have left, or ask the administrator to run: dockershctl stop "+a.plan.Container, nil)
	}
	missing, err := a.bringUp(ctx)
	if errors.Is(err, launch.ErrEnded) { // the engine may have been restarted meanwhile
		_, err = a.bringUp(ctx)
	}
	if changed != "" {
		missing = changed
	}
	return missing, err
}

// userError puts an engine's error into words for the user; engine.ErrNoClient is for the
// caller.
func userError(err error) error {
	if errors.Is(err, engine.ErrNoClient) {
		return err
	}
	if errors.Is(err, state.ErrInventory) {
		return usererr.New(usererr.Unavailable, "a new container cannot be made: this host cannot write its inventory of containers",
			usererr.RunDoctor, err)
	}
	return engine.Explain(err, "the container cannot be started")
}
