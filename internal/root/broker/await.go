package broker

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/rundir"
)

const (
	agentLimit    = 20 * time.Second // for an agent that was just started
	furtherLimit  = 8 * time.Second  // for one beside process 1, whose user can keep it from coming
	ownAgentLimit = 2 * time.Second  // for one that should be there already: it asks four times a second
	helloLimit    = 2 * time.Second
)

var errSilent = errors.New("no agent came forward")

// awaited is the start socket of a container while an agent is expected.
type awaited struct {
	dir  rundir.Dir
	key  string
	who  account.Identity
	l    *seqpacket.Listener
	done chan error // one result

	uid   uint32        // of who on the host, once known
	known chan struct{} // closed then
	over  chan struct{} // closed when nobody waits any more
}

// await opens the start socket. Any process of the container can connect: an
// agent is known by its uid, and what it gets is a socket for sessions of that
// very uid.
func (c *cold) await(who account.Identity) (*awaited, error) {
	if err := c.dir.Make(); err != nil {
		return nil, err
	}
	fd, err := seqpacket.Bind(c.dir.StartSocket(), 0o666, 16)
	if err != nil {
		return nil, err
	}
	l, err := seqpacket.NewListener(fd)
	if err != nil {
		return nil, err
	}
	w := &awaited{dir: c.dir, key: c.plan.Agent, who: who, l: l, done: make(chan error, 1),
		known: make(chan struct{}), over: make(chan struct{})}
	go w.accept()
	return w, nil
}

// expect says which uid of the host the agent has. Before that nobody is met.
func (w *awaited) expect(uid uint32) {
	w.uid = uid
	close(w.known)
}

func (w *awaited) close() {
	close(w.over)
	_ = os.Remove(w.dir.StartSocket())
	_ = w.l.Close()
}

// atTheDoor is how many connections to a start socket are listened to at once.
const atTheDoor = 16

// accept answers whoever connects until one of them is the agent.
func (w *awaited) accept() {
	var met atomic.Bool
	places := make(chan struct{}, atTheDoor)
	for !met.Load() {
		places <- struct{}{} // each is free again helloLimit after the container runs
		raw, err := w.l.Accept()
		if err != nil {
			if !outOfResources(err) {
				return // closed
			}
			<-places
			time.Sleep(10 * time.Millisecond)
			continue
		}
		go func() {
			defer func() { _ = raw.Close(); <-places }()
			if w.meet(raw, &met) == nil {
				w.done <- nil
			}
		}()
	}
}

var errStranger = errors.New("not the agent that is awaited")

// meet gives an agent its listening socket. Only one gets it: a second would take
// the name from the first.
func (w *awaited) meet(raw *seqpacket.Conn, met *atomic.Bool) error {
	c := channel.Conn{Socket: raw}
	select {
	case <-w.known:
	case <-w.over:
		return errStranger
	}
	cred, err := raw.Peer()
	if err != nil {
		return err
	}
	if cred.Uid != w.uid {
		return errStranger
	}
	c.Within(helloLimit)
	m, fds, err := c.Recv()
	if err != nil {
		return err
	}
	seqpacket.CloseAll(fds)
	if hello, ok := m.(*wire.Hello); !ok || hello.Version != wire.Version {
		return errStranger
	}
	if met.Swap(true) {
		return errStranger
	}
	fd, err := w.dir.Listen(w.key)
	if err != nil {
		return err
	}
	defer seqpacket.CloseAll([]int{fd})
	return c.Send(&wire.Serve{User: w.who.Name, Home: w.who.Home}, fd)
}

// wait gives errSilent when no agent came in time.
func (w *awaited) wait(ctx context.Context, limit time.Duration) error {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case err := <-w.done:
		return err
	case <-t.C:
		return errSilent
	case <-ctx.Done():
		return engineTrouble(ctx.Err())
	}
}

// waitWatching waits for an agent that was just started, and looks now and then
// whether it still can come.
func (w *awaited) waitWatching(ctx context.Context, limit time.Duration, alive func() error) error {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if err := w.wait(ctx, 500*time.Millisecond); !errors.Is(err, errSilent) {
			return err
		}
		if err := alive(); err != nil {
			return err
		}
	}
	return errNoAgent(errSilent)
}

func errNoAgent(cause error) error {
	return usererr.New(usererr.Container, "the container runs, but does not answer", "ask the administrator to restart it", cause)
}

func itoa(n int) string { return strconv.Itoa(n) }
