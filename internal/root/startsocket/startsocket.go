// Package startsocket is the socket of a container on which an agent that was just started asks
// for its own: who asks is known by what the kernel reports of the caller.
package startsocket

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
)

// helloLimit is how long a caller may take to greet.
const helloLimit = 2 * time.Second

var (
	// ErrSilent is returned when no agent came in time.
	ErrSilent = errors.New("no agent connected")
	// ErrOtherGroups is returned when process 1 has its socket, and is not the agent that is
	// awaited.
	ErrOtherGroups = errors.New("process 1 does not have the groups of the login")
)

// Socket is the socket of a container on which an agent is awaited.
type Socket struct {
	dir      state.ContainerDir
	one, key string // names of process 1 and of the agent that is awaited
	user     passwd.Identity
	listener *seqpacket.Listener
	done     chan error // one result of each

	uid    uint32        // of the agent on the host
	pids   os.FileInfo   // pid namespace of its container; nil: any
	known  chan struct{} // closed when uid and pids are set
	over   chan struct{} // closed when nobody waits any more
	served atomic.Bool   // process 1 has its socket, and is not the agent that is awaited

	mu     sync.Mutex
	groups *Groups // of the agent; nil: any
}

// Open opens the socket for an agent of a user, with its key and that of process 1 (one). Any
// process of the container can connect: an agent is known by its uid, and what it gets is a
// socket for sessions of that very uid.
func Open(dir state.ContainerDir, one, key string, user passwd.Identity) (*Socket, error) {
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
	s := &Socket{dir: dir, one: one, key: key, user: user, listener: l, done: make(chan error, 2),
		known: make(chan struct{}), over: make(chan struct{})}
	go s.accept()
	return s, nil
}

// Await sets the uid that the agent has on the host, the pid namespace of its container, and
// its groups. Until then nobody is answered.
func (s *Socket) Await(uid uint32, pids os.FileInfo, groups *Groups) {
	s.uid, s.pids, s.groups = uid, pids, groups
	close(s.known)
}

// AcceptFewer lets an agent in that lacks some of the groups.
func (s *Socket) AcceptFewer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups.fewer = true
}

// roleOf returns the role of a caller that has the right uid.
func (s *Socket) roleOf(raw *seqpacket.Conn, gid uint32) (role, error) {
	if s.groups == nil {
		return asWanted, nil
	}
	have, err := raw.PeerGroups()
	if err != nil {
		return useless, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.groups.roleOf(gid, have), nil
}

// Close removes the socket.
func (s *Socket) Close() {
	close(s.over)
	_ = os.Remove(s.dir.StartSocket())
	_ = s.listener.Close()
}

// maxCallers is how many connections to a start socket are listened to at once.
const maxCallers = 16

// accept answers callers until one of them is the agent.
func (s *Socket) accept() {
	var found atomic.Bool
	slots := make(chan struct{}, maxCallers)
	for !found.Load() {
		slots <- struct{}{} // each is free again helloLimit after the uid is known
		raw, err := s.listener.Accept()
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
			switch err := s.answerCaller(raw, &found); {
			case err == nil, errors.Is(err, ErrOtherGroups):
				s.done <- err
			}
		}()
	}
}

var errNotAwaited = errors.New("the caller is not the agent that is awaited")

// answerCaller sends the agent its listening socket. Only one caller gets it: a second
// one would take the name from the first. ErrOtherGroups: it is process 1, and another agent is
// awaited.
func (s *Socket) answerCaller(raw *seqpacket.Conn, found *atomic.Bool) error {
	c := channel.Conn{Socket: raw}
	select {
	case <-s.known:
	case <-s.over:
		return errNotAwaited
	}
	cred, err := raw.Peer()
	if err != nil {
		return err
	}
	if cred.Uid != s.uid || !s.isInside(int(cred.Pid)) {
		return errNotAwaited
	}
	is, err := s.roleOf(raw, cred.Gid)
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
	key, taken := s.key, found
	if is == asOne {
		key, taken = s.one, &s.served
	}
	if taken.Swap(true) {
		return errNotAwaited
	}
	fd, err := seqpacket.Bind(s.dir.AgentSocket(key), 0o600, 1024)
	if err != nil {
		return err
	}
	defer seqpacket.CloseAll([]int{fd})
	if err := c.Send(&wire.Serve{User: s.user.Name, Home: s.user.Home}, fd); err != nil || is == asWanted {
		return err
	}
	return ErrOtherGroups
}

// isInside reports whether a process is in the container. The socket is mounted into every
// container of this name, and another engine may have one.
func (s *Socket) isInside(pid int) bool {
	if s.pids == nil {
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
	return err == nil && os.SameFile(its, s.pids)
}

// Wait waits until the agent has its socket: ErrSilent, ErrOtherGroups.
func (s *Socket) Wait(ctx context.Context, limit time.Duration) error {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case err := <-s.done:
		return err
	case <-t.C:
		return ErrSilent
	case <-ctx.Done():
		return ctx.Err()
	}
}
