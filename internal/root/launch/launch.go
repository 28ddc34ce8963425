// Package launch creates and starts containers, and starts agents in them. It does what
// package bringup asks; bringup decides what a container lacks, containerfiles
// writes what belongs into one, and at startsocket its agent reports.
package launch

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/images"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// MakeLimit bounds creating and starting a container; pulling is not included.
const MakeLimit = 2 * time.Minute

// Config is what a Launcher works with.
type Config struct {
	State     state.RunDir
	Inventory state.Inventory
	Images    *images.Images
	Users     *account.DB
	Log       *slog.Logger
	Helpers   string // directory that is mounted into containers

	// ShareSlots counts the containers that are made or started at a time over all
	// processes with the same run-time directory: brokers of one session.
	ShareSlots bool
}

// Launcher launches containers, for many logins at once.
type Launcher struct {
	Config
	slots     *wait.Turns       // one for each container that is being made or started
	foreign   *wait.Turns       // the same, of foreign images
	hostReads *wait.Abandonable // of directories of the host that are mounted, by uid
}

// New returns a Launcher.
func New(c Config) *Launcher {
	return &Launcher{
		Config: c,
		slots:  wait.NewTurns(engine.AtOnce, engine.AtOnceOfUser), foreign: wait.NewTurns(engine.AtOnce-keptForOthers, engine.AtOnceOfUser),
		hostReads: wait.NewAbandonable(),
	}
}

// acquireSlot waits for one of the slots at the engine, which go round by user. It must not be
// held while something is awaited that is in a user's hands. Containers of images that users
// chose do not get all of them: such an image may be large, or have large volumes to copy,
// and two users would be enough to hold up everybody else.
func (l *Launcher) acquireSlot(ctx context.Context, user uint32, foreign bool) (release func(), err error) {
	var held []func()
	release = sync.OnceFunc(func() {
		for _, release := range slices.Backward(held) {
			release()
		}
	})
	most, queues := engine.AtOnce, []*wait.Turns{l.slots}
	if foreign {
		most, queues = engine.AtOnce-keptForOthers, []*wait.Turns{l.foreign, l.slots}
	}
	for _, q := range queues {
		one, err := q.Acquire(ctx, user)
		if err != nil {
			release()
			return nil, err
		}
		held = append(held, one)
	}
	if l.ShareSlots {
		one, err := l.State.AcquireSlot(ctx, user, most, engine.AtOnceOfUser)
		if err != nil {
			release()
			return nil, err
		}
		held = append(held, one)
	}
	return release, nil
}

// Queue returns how many slots at the engine this process has taken, and how many containers
// wait for one.
func (l *Launcher) Queue() (taken, waiting int) {
	taken, waiting = l.slots.Len()
	_, foreign := l.foreign.Len()
	return taken, waiting + foreign
}

// keptForOthers is how many slots containers of foreign images do not get.
const keptForOthers = 2

// Target is the container of a plan. Its lock is held.
type Target struct {
	l       *Launcher
	plan    *policy.Plan
	dir     state.ContainerDir
	engine  engine.Engine
	show    func(line string)
	follows bool          // it takes the place of another container
	late    []engine.File // to be written into it then, once it runs
}

// Target returns the container of a plan. Show receives lines for the user.
func (l *Launcher) Target(plan *policy.Plan, e engine.Engine, show func(line string)) *Target {
	return &Target{l: l, plan: plan, dir: l.State.Container(plan.Container), engine: e, show: show}
}

// InUse reports whether a session is in the container; logins that wait for it do not
// count.
func (t *Target) InUse() bool {
	inside, _ := t.l.State.Sessions().In(t.plan.Container)
	return inside > 0
}

// Error returns an error about the container.
func (t *Target) Error(text, hint string, cause error) error {
	return usererr.New(usererr.Container, "the container "+t.plan.Container+" "+text, hint, cause)
}

// ErrSilent returns the error of a container whose agent does not answer.
func ErrSilent(container string, cause error) error {
	return usererr.New(usererr.Container, "the container runs, but does not answer", usererr.Restart(container), cause)
}
