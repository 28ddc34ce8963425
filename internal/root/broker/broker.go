// Package broker is the only part of dockersh with power. It says who gets a
// session in which container, makes sure that the container runs, and hands over
// the agent's socket. It never carries a session's bytes, never opens a terminal
// and never reads a path that a user can change.
package broker

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/root/sessions"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// Config is what a broker works with.
type Config struct {
	Run      string    // run-time directory
	Helpers  string    // directory that is mounted into containers
	Bridge   string    // program that carries a session over the engine's exec
	Settings [2]string // the first file that exists counts
	Owner    uint32    // uid that must own the settings file
	Users    *account.DB
	Engine   func(engine.Address) (engine.Engine, error)                           // nil: another broker goes on where one is needed (ErrHandOver)
	AskFate  func(ctx context.Context, at engine.Address, container string) string // is Fate, where Engine is nil
	Log      *slog.Logger
	History  func(history.Event) // takes what became of a session; nil: nobody does
}

// Broker serves fronts.
type Broker struct {
	Config
	settings settings.Source
	engines  engines
	images   images
	turns    turns
	flights  flights
	load     *load
	sessions sessions.Dir
	lives    rundir.Lives
	keeping  atomic.Bool // keep looks after containers
	passed   atomic.Bool // the one login is another broker's
	untended atomic.Bool // there was no engine for what had to be done for a container
	tended   tended
	tags     tags
	work     chan struct{}   // a place is one container that is made or started
	removals chan struct{}   // a place is one that is removed
	closing  atomic.Bool     // no more connections
	stop     context.Context // its end is the end of all work
	halt     context.CancelFunc
	logins   sync.WaitGroup // under way
	telling  sync.WaitGroup // of starts of sessions
}

// atOnce is how many containers are made or started at a time, and how many are
// removed: more would only wait for each other in the engine, and time out together.
// They are counted apart, since a user can fill a container so that its removal
// takes long: no login waits for that.
const atOnce = 6

// New makes the run-time directory. It does not touch what a predecessor left
// there: those containers run on.
func New(c Config) (*Broker, error) {
	if err := rundir.Make(c.Run); err != nil {
		return nil, err
	}
	if c.History == nil {
		c.History = func(history.Event) {}
	}
	b := &Broker{Config: c, work: make(chan struct{}, atOnce), removals: make(chan struct{}, atOnce), load: newLoad()}
	b.settings = settings.Source{Paths: c.Settings, Owner: c.Owner}
	b.engines.open = c.Engine
	b.images.dir = filepath.Join(c.Run, "images")
	b.sessions, b.lives = sessions.Of(c.Run), rundir.LivesOf(c.Run)
	if err := b.sessions.Make(); err != nil {
		return nil, err
	}
	b.stop, b.halt = context.WithCancel(context.Background())
	return b, nil
}

// Serve accepts fronts until Shutdown, and looks after containers that nobody is
// in.
func (b *Broker) Serve(l *seqpacket.Listener) error {
	b.keeping.Store(true)
	go b.keep(b.stop)
	for {
		c, err := l.Accept()
		if b.closing.Load() {
			if err == nil {
				_ = c.Close()
			}
			return nil
		}
		if err != nil {
			if !outOfResources(err) {
				return err
			}
			b.Log.Error("cannot accept", "cause", err)
			time.Sleep(50 * time.Millisecond) // some connection will end
			continue
		}
		_ = b.greet(c, nil) // the peer was told
	}
}

// ServeOne serves one front and returns when its session is over. With ErrHandOver
// the connection is open still, and with ErrUntended closed.
func (b *Broker) ServeOne(conn *seqpacket.Conn) error {
	var c socket = conn
	if b.Engine == nil {
		c = &held{Conn: conn}
	}
	over := make(chan struct{})
	if err := b.greet(c, func() { close(over) }); err != nil {
		return err
	}
	<-over
	if b.passed.Load() {
		return ErrHandOver
	}
	return b.Tend() // no service does it
}

// greet finds out who is there, once, from the kernel, and gives the connection
// a goroutine if its uid has not too many. over, which may be nil, is called when
// all is done.
func (b *Broker) greet(raw socket, over func()) error {
	c := channel.Conn{Socket: raw}
	cred, err := raw.Peer()
	if err != nil {
		_ = c.Close()
		return err
	}
	if !b.load.enter(cred.Uid) {
		// A line would be for nothing if the peer does not read, and must not
		// hold up the next one: Send to a fresh socket never waits.
		c.Within(time.Second)
		_ = c.Send(&wire.Error{Code: uint8(usererr.Busy), Text: "you have too many connections", Hint: "end some of your sessions"})
		_ = c.Close()
		return errTooMany
	}
	b.logins.Add(1)
	go b.converse(&front{Conn: c, uid: cred.Uid, pid: cred.Pid, over: over})
	return nil
}

var errTooMany = errors.New("too many connections of one user")

// Shutdown stops accepting and waits for logins that are under way, at most
// until ctx ends. Sessions are not touched, and what is left to do for containers
// is the next broker's.
func (b *Broker) Shutdown(ctx context.Context, l *seqpacket.Listener) {
	b.closing.Store(true)
	_ = l.SetDeadline(time.Now())
	until(ctx, b.logins.Wait)
	b.halt()
	until(ctx, b.telling.Wait)
	until(ctx, b.tended.stop)
}

// until waits for the end of f or of ctx.
func until(ctx context.Context, f func()) {
	done := make(chan struct{})
	go func() { f(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
