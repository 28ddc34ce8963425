package bringup

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// errNoAgent is returned where no agent listens for the login.
var errNoAgent = errors.New("no agent listens")

// connect connects a login to the agent of its container, if one listens; errNoAgent.
// Where the session is recorded it goes through a bridge. No engine is asked.
func (b *Bringup) connect(l Login) (channel.Conn, error) {
	agent, err := b.dialAgent(l.Plan)
	if err != nil || l.Plan.Record == "" {
		return agent, err
	}
	defer agent.Close()
	u := l.Plan.User
	return b.startBridge(l, &wire.Bridge{Container: l.Plan.Container, UID: u.UID, GID: u.GID, User: u.Name, Agent: true}, agent.Fd())
}

// dialAgent connects to the agent of the plan's container user; errNoAgent.
func (b *Bringup) dialAgent(plan *policy.Plan) (channel.Conn, error) {
	dir, err := b.knownDir(plan)
	if err != nil {
		return channel.Conn{}, err
	}
	return b.dial(dir.AgentSocket(plan.AgentKey()), plan.Container)
}

// knownDir returns the directory of the plan's container if it is known for whom that was
// made, and the plan's user may enter it; errNoAgent.
func (b *Bringup) knownDir(plan *policy.Plan) (state.ContainerDir, error) {
	dir := b.State.Container(plan.Container)
	owner, err := dir.Owner()
	if err != nil || !plan.Engine().Local() {
		return "", errNoAgent
	}
	if err := plan.CheckEntry(owner); err != nil {
		if plan.MayAdopt() { // the container may be gone, and another have its name
			return "", errNoAgent
		}
		return "", err
	}
	return dir, nil
}

// queueFullLimit is how long a full queue of an agent is waited for.
const queueFullLimit = 3 * time.Second

// maxWaiting is how many logins wait for a slot in the full queue of one agent. The
// others are refused at once: a thousand wait already. A user can stop their agent, and log
// in a thousand times.
const maxWaiting = 8

// dial connects to an agent's socket. A broker bound it, in a directory that is mounted
// in no container: no path that a user can change is followed.
func (b *Bringup) dial(path, container string) (channel.Conn, error) {
	waits := false
	for end := time.Now().Add(queueFullLimit); ; time.Sleep(5 * time.Millisecond) {
		fd, err := seqpacket.Connect(path)
		switch {
		case err == nil:
			return channel.NewSync(fd)
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ECONNREFUSED):
			return channel.Conn{}, errNoAgent
		case errors.Is(err, unix.EAGAIN):
			if !waits && b.full.TryAcquire(path) {
				waits = true
				defer b.full.Release(path)
			}
			if waits && time.Now().Before(end) {
				continue
			}
			return channel.Conn{}, usererr.New(usererr.Container, "the container does not answer",
				"end some of its processes, or "+usererr.Restart(container), err)
		default:
			return channel.Conn{}, err
		}
	}
}
