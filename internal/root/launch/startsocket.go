package launch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
)

const (
	agentLimit        = 20 * time.Second // for an agent that was just started as process 1
	furtherAgentLimit = 8 * time.Second  // for one beside process 1, whose user can stop it from connecting
	firstAgentLimit   = 2 * time.Second  // for a process 1 that already runs: it asks every second
	helloLimit        = 2 * time.Second
)

var errSilent = errors.New("no agent connected")

// startSocket is the socket of a container on which an agent is expected.
type startSocket struct {
	dir      state.ContainerDir
	one, key string // names of process 1 and of the agent that is awaited
	user     account.Identity
	listener *seqpacket.Listener
	done     chan error // one result of each

	uid    uint32        // of the agent on the host
	pids   os.FileInfo   // pid namespace of its container; nil: any
	known  chan struct{} // closed when uid and pids are set
	over   chan struct{} // closed when nobody waits any more
	served atomic.Bool   // process 1 has its socket, and is not the agent that is awaited

	mu     sync.Mutex
	groups *agentGroups // of the agent; nil: any
}

// openStartSocket opens the socket. Any process of the container can connect: an agent is
// known by its uid, and what it gets is a socket for sessions of that very uid.
func openStartSocket(dir state.ContainerDir, one, key string, user account.Identity) (*startSocket, error) {
	if err := dir.Make(); err != nil {
		return nil, err
	}
	fd, err := seqpacket.Bind(dir.StartSocket(), 0o666, 16)
	if err != nil {
		return nil, err
	}
	l, err := seqpacket.NewListener(fd)
	if err != nil {
		return nil, err
	}
	w := &startSocket{dir: dir, one: one, key: key, user: user, listener: l, done: make(chan error, 2),
		known: make(chan struct{}), over: make(chan struct{})}
	go w.accept()
	return w, nil
}

// await sets the uid that the agent has on the host, the pid namespace of its container, and
// its groups. Until then nobody is answered.
func (w *startSocket) await(uid uint32, pids os.FileInfo, groups *agentGroups) {
	w.uid, w.pids, w.groups = uid, pids, groups
	close(w.known)
}

// acceptFewer lets an agent in that lacks some of the groups.
func (w *startSocket) acceptFewer() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groups.fewer = true
}

// roleOf returns the role of a caller that has the right uid.
func (w *startSocket) roleOf(raw *seqpacket.Conn, gid uint32) (role, error) {
	if w.groups == nil {
		return asWanted, nil
	}
	have, err := raw.PeerGroups()
	if err != nil {
		return useless, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.groups.roleOf(gid, have), nil
}

func (w *startSocket) close() {
	close(w.over)
	_ = os.Remove(w.dir.StartSocket())
	_ = w.listener.Close()
}

// maxCallers is how many connections to a start socket are listened to at once.
const maxCallers = 16

// accept answers callers until one of them is the agent.
func (w *startSocket) accept() {
	var found atomic.Bool
	slots := make(chan struct{}, maxCallers)
	for !found.Load() {
		slots <- struct{}{} // each is free again helloLimit after the uid is known
		raw, err := w.listener.Accept()
		if err != nil {
			if !seqpacket.OutOfResources(err) {
				return // closed
			}
			<-slots
			time.Sleep(10 * time.Millisecond)
			continue
		}
		raw.RefuseDescriptors()
		go func() {
			defer func() { _ = raw.Close(); <-slots }()
			switch err := w.answerCaller(raw, &found); {
			case err == nil, errors.Is(err, errOtherGroups):
				w.done <- err
			}
		}()
	}
}

var errNotAwaited = errors.New("the caller is not the agent that is awaited")

// answerCaller sends the agent its listening socket. Only one caller gets it: a second
// one would take the name from the first. errOtherGroups: it is process 1, and another agent is
// awaited.
func (w *startSocket) answerCaller(raw *seqpacket.Conn, found *atomic.Bool) error {
	c := channel.Conn{Socket: raw}
	select {
	case <-w.known:
	case <-w.over:
		return errNotAwaited
	}
	cred, err := raw.Peer()
	if err != nil {
		return err
	}
	if cred.Uid != w.uid || !w.isInside(int(cred.Pid)) {
		return errNotAwaited
	}
	is, err := w.roleOf(raw, cred.Gid)
	if err != nil || is == useless {
		return errors.Join(errNotAwaited, err)
	}
	c.Within(helloLimit)
	m, fds, err := c.Recv()
	if err != nil {
		return err
	}
	seqpacket.CloseAll(fds)
	if hello, ok := m.(*wire.Hello); !ok || !wire.Speaks(hello.Version) {
		return errNotAwaited
	}
	key, taken := w.key, found
	if is == asOne {
		key, taken = w.one, &w.served
	}
	if taken.Swap(true) {
		return errNotAwaited
	}
	fd, err := seqpacket.Bind(w.dir.AgentSocket(key), 0o600, 1024)
	if err != nil {
		return err
	}
	defer seqpacket.CloseAll([]int{fd})
	if err := c.Send(&wire.Serve{User: w.user.Name, Home: w.user.Home}, fd); err != nil || is == asWanted {
		return err
	}
	return errOtherGroups
}

// isInside reports whether a process is in the container. The socket is mounted into every
// container of this name, and another engine may have one.
func (w *startSocket) isInside(pid int) bool {
	if w.pids == nil {
		return true
	}
	process, err := proc.Hold(pid)
	if err != nil {
		return false
	}
	defer process.Close()
	its, err := os.Stat(process.Path("ns/pid"))
	if errors.Is(err, fs.ErrPermission) {
		return os.Geteuid() != 0 // an agent cannot be looked at, not even by its own user
	}
	return err == nil && os.SameFile(its, w.pids)
}

// wait returns errSilent when no agent came in time.
func (w *startSocket) wait(ctx context.Context, limit time.Duration) error {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case err := <-w.done:
		return err
	case <-t.C:
		return errSilent
	case <-ctx.Done():
		return ctx.Err()
	}
}
