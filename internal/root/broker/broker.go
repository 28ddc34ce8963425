// Package broker is the part of dockersh with power: it accepts fronts, learns from the
// kernel who they are, and connects each login to the agent of its container, or refuses
// it. It never carries a session's bytes, never opens a terminal and never reads a path of
// the host that a user can change. Package bringup decides what a container lacks for a
// login, package launch creates and starts it, and package lifecycle looks after containers
// that nobody is in.
package broker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/seen"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/admission"
	"github.com/dockersh/dockersh/internal/root/bringup"
	"github.com/dockersh/dockersh/internal/root/counters"
	"github.com/dockersh/dockersh/internal/root/fate"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/images"
	"github.com/dockersh/dockersh/internal/root/join"
	"github.com/dockersh/dockersh/internal/root/launch"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/recordings"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// Role is which broker this is.
type Role int

// The roles.
const (
	Service       Role = iota // serves all users, and looks after containers that nobody is in
	OneSession                // serves one front, and stays until nothing is left to do for its container
	WithoutEngine             // serves one front; where an engine is needed a broker with one goes on
)

// Config is what a broker works with.
type Config struct {
	Role          Role
	Run           string    // run-time directory
	Inventory     string    // directory that outlives a reboot; empty: there is none
	Services      string    // likewise: account.DB.KnownServices
	Helpers       string    // directory that is mounted into containers
	Bridge        string    // path of dockersh-bridge
	PodBridge     []string  // command line of that for sessions in pods
	SettingsPaths [2]string // the first file that exists counts
	SettingsOwner uint32    // uid that the settings file must belong to
	Users         *account.DB
	OpenEngine    engine.Opener                                                         // nil in the role WithoutEngine
	AskFate       func(ctx context.Context, at engine.Address, container string) string // is fate.Of, where OpenEngine is nil
	Log           *slog.Logger
	PutEvent      func(history.Event) // takes what happened to sessions; may be nil
}

// Broker serves fronts.
type Broker struct {
	Config
	settings   *userSettings
	engines    engine.Clients
	sessions   state.Sessions
	state      state.RunDir
	bringup    *bringup.Bringup
	lifecycle  *lifecycle.Reconciler
	joiner     *join.Joiner
	conns      *admission.Connections
	fates      *fate.Finder
	loginTurns wait.Queue           // by uid
	strangers  *admission.Strangers // nil unless it is the service
	notices    *notices
	events     *events
	recordings *recordings.Keeper
	counters   counters.Counters

	closing atomic.Bool     // no more connections
	ctx     context.Context // its end is the end of all work
	cancel  context.CancelFunc
	logins  sync.WaitGroup // under way
}

// New makes the run-time directory, and does not touch what another broker left there:
// those containers run on.
func New(c Config) (*Broker, error) {
	if c.PutEvent == nil {
		c.PutEvent = func(history.Event) {}
	}
	run := state.RunDir(c.Run)
	if err := run.Make(); err != nil {
		return nil, err
	}
	b := &Broker{Config: c, state: run, sessions: run.Sessions(), conns: admission.NewConnections()}
	b.counters.Since = time.Now()
	b.settings = &userSettings{file: settings.Reader{Paths: c.SettingsPaths, Owner: c.SettingsOwner, Seen: run.Seen()}, users: c.Users}
	if b.Users.KnownServices = run.Seen(); c.Services != "" {
		b.Users.KnownServices = seen.Dir(c.Services)
	}
	if c.Role == Service {
		b.strangers = admission.NewStrangers(account.NewHostFiles())
	}
	b.engines.Open = c.OpenEngine
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.events = newEvents(b.ctx, c)
	b.recordings = &recordings.Keeper{Context: b.ctx, State: run, Limits: b.settings.recordLimits, Log: c.Log}
	b.notices = &notices{run, images.NewTags(b.ctx, &b.engines)}
	b.fates = fate.New(b.ctx, &b.engines, c.AskFate)
	locks := &state.Locks{Dir: run, OnError: func(container string, err error) {
		b.Log.Error("cannot remove the directory of a container", "container", container, "cause", err)
	}}
	img := images.New(run)
	b.bringup = bringup.New(bringup.Config{
		Config: launch.Config{
			State: run, Inventory: state.Inventory(c.Inventory), Images: img, Users: c.Users,
			Log: c.Log, Helpers: c.Helpers, ShareSlots: c.Role != Service,
		},
		Locks: locks, Engines: &b.engines, Bridge: c.Bridge, PodBridge: c.PodBridge,
		HostNetwork: hostNetwork(c.Role), AdminSettings: b.settings.byAdmin,
	})
	b.joiner = join.New(join.Config{
		Context: b.ctx, Sessions: b.sessions, Seen: run.Seen(), Bringup: b.bringup, Settings: b.settings.of, Groups: b.Users.Groups,
		Ended: func(container string, plan *policy.Session) { b.lifecycle.SessionEnded(container, plan) },
	})
	b.settings.key = b.joiner.Key
	b.lifecycle = lifecycle.New(b.ctx, lifecycle.Config{
		State: run, Inventory: state.Inventory(c.Inventory), Locks: locks, Engines: &b.engines, Log: c.Log,
		Attend: c.Role == OneSession, AllEngines: b.settings.allEngines, RemoveProbe: img.RemoveProbe, SessionLost: b.events.writeLost,
	})
	return b, nil
}

// hostNetwork returns the path of the network namespace in which the host's services are. A
// broker of one session may be in another one, into which sshd's PAM module put its user.
func hostNetwork(r Role) string {
	if r == Service {
		return "/proc/self/ns/net"
	}
	return "/proc/1/ns/net"
}

// Serve accepts fronts until Shutdown, and looks after containers that nobody is in.
func (b *Broker) Serve(l *seqpacket.Listener) error {
	b.rememberOwners()
	go b.lifecycle.Run()
	b.recordings.Started()
	for {
		c, err := l.Accept()
		if b.closing.Load() {
			if err == nil {
				_ = c.Close()
			}
			return nil
		}
		if err != nil {
			if !seqpacket.OutOfResources(err) {
				return err
			}
			b.Log.Error("cannot accept", "cause", err)
			time.Sleep(50 * time.Millisecond) // some connection will end
			continue
		}
		c.RefuseDescriptors()
		_ = b.acceptFront(c, nil) // the front was answered
	}
}

// How a broker of one session can end other than well.
var (
	// ErrHandOver is returned when the login needs an engine, in the role WithoutEngine.
	// The connection is as it was, the front's message still in the socket, and nothing
	// was done for it.
	ErrHandOver = errors.New("the login needs a broker with an engine")
	// ErrNeedsEngine is returned when something is due for a container that nobody is
	// in, which needs an engine.
	ErrNeedsEngine = errors.New("a container that nobody is in needs a broker with an engine")
)

// ServeOne serves one front and returns when its session is over and what was due for
// its container is done; ErrHandOver, ErrNeedsEngine.
func (b *Broker) ServeOne(conn *seqpacket.Conn) error {
	conn.RefuseDescriptors()
	var c socket = conn
	if b.Role == WithoutEngine {
		c = &peekConn{Conn: conn}
	}
	ended := make(chan error, 1)
	if err := b.acceptFront(c, func(handOver bool) {
		if handOver {
			ended <- ErrHandOver
		}
		close(ended)
	}); err != nil {
		return err
	}
	if err := <-ended; err != nil {
		return err
	}
	return b.finish()
}

// Reconcile does what is due by now for containers that nobody is in, and what killed
// brokers left undone. It is the last thing that a broker does; ErrNeedsEngine.
func (b *Broker) Reconcile() error {
	b.recordings.Started() // by the broker that had no engine
	return b.finish()
}

// trimPatience is how long a broker stays at most until old recordings may be looked at again.
const trimPatience = 30 * time.Second

func (b *Broker) finish() error {
	if b.lifecycle.Finish() {
		b.recordings.Finish(0) // the broker with an engine does the rest
		return ErrNeedsEngine
	}
	b.recordings.Finish(trimPatience)
	return nil
}

// acceptFront learns from the kernel who a front is, once, and starts a goroutine for the
// connection unless its uid has too many. Ended, which may be nil, is called when all is
// done.
func (b *Broker) acceptFront(raw socket, ended func(handOver bool)) error {
	c := channel.Conn{Socket: raw}
	cred, err := raw.Peer()
	if err != nil {
		_ = c.Close()
		return err
	}
	f := &front{Conn: c, uid: cred.Uid, counted: cred.Uid, pid: cred.Pid, ended: ended}
	if b.strangers != nil && !b.strangers.IsKnown(f.uid) {
		allowance, err := b.strangers.Admit(f.uid)
		if err != nil {
			b.counters.AddRefusal(usererr.Busy)
			answerAndClose(c, err)
			return err
		}
		b.logins.Add(1)
		go b.serveStranger(f, allowance)
		return nil
	}
	if !b.conns.Admit(f.uid) {
		b.counters.AddRefusal(usererr.Busy)
		answerAndClose(c, admission.ErrTooMany)
		return admission.ErrTooMany
	}
	b.logins.Add(1)
	go b.serveLogin(f)
	return nil
}

// serveStranger looks a stranger up, and serves those who have an account.
func (b *Broker) serveStranger(f *front, a *admission.Allowance) {
	ctx, cancel := context.WithTimeout(b.ctx, answerLimit)
	err := b.strangers.LookUp(ctx, a, f.uid, b.Users.ByUID)
	cancel()
	f.stranger = err != nil
	if err == nil && !b.conns.Admit(f.uid) {
		err = admission.ErrTooMany
	}
	if err != nil {
		b.refuse(f, err, true)
		_ = f.Close()
		b.logins.Done()
		return
	}
	b.serveLogin(f)
}

// rememberOwners makes those known for whom there are containers: after a restart of the
// broker they are not strangers.
func (b *Broker) rememberOwners() {
	for _, name := range b.state.Containers() {
		if made, err := b.state.Container(name).Made(); err == nil {
			b.strangers.SetKnown(made.UID, true)
		}
	}
}

// answerAndClose refuses a connection that is not served. A log line for each would help
// nobody, and the answer must not hold up the next front: Send to a fresh socket never waits.
func answerAndClose(c channel.Conn, err error) {
	c.Within(time.Second)
	_ = c.Send(wire.NewError(usererr.For(err)))
	_ = c.Close()
}

// Shutdown stops accepting and waits for logins that are under way, at most until ctx
// ends. Sessions go on, and what is left to do for containers is the next broker's.
func (b *Broker) Shutdown(ctx context.Context, l *seqpacket.Listener) {
	b.closing.Store(true)
	_ = l.SetDeadline(time.Now())
	wait.Until(ctx, b.logins.Wait)
	b.cancel()
	wait.Until(ctx, b.events.starts.Wait)
	b.events.close()
	b.lifecycle.Shutdown(ctx)
}
