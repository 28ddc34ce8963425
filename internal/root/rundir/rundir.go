// Package rundir knows the broker's run-time directory: what is kept of each
// container, under which name, and how an agent is reached.
package rundir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// Make makes the run-time directory. It does not touch what is there.
func Make(run string) error {
	if err := os.MkdirAll(run, 0o755); err != nil {
		return err
	}
	// Not for anyone else: here are the sockets of the agents.
	if err := os.MkdirAll(filepath.Join(run, "c"), 0o700); err != nil {
		return err
	}
	return LivesOf(run).Make()
}

// Of gives the directory of a container below the run-time directory.
func Of(run, container string) Dir { return Dir(filepath.Join(run, "c", container)) }

// Dir is what the broker keeps of one container, out of everyone else's reach:
//
//	owner            for whom it was made (a link that says so)
//	made             of what it was made (a link, too)
//	agent-KEY.sock   listening socket of an agent
//	in/              mounted read-only into the container
//	in/start.sock    while an agent is awaited
//	home/            where the engine finds a home of mapped owners, during a start
//	lock             held while the container is made, started or removed
//	owner.shut       what owner is called while the container is being removed
//
// It is lost with /run at a reboot, and made again for the first login.
type Dir string

func (d Dir) file(name string) string       { return filepath.Join(string(d), name) }
func (d Dir) agentSocket(key string) string { return d.file("agent-" + key + ".sock") }

// Container is the name of the container.
func (d Dir) Container() string { return filepath.Base(string(d)) }

// In is the directory that is mounted, read-only, into the container.
func (d Dir) In() string { return d.file("in") }

// StartSocket is where an agent that was just started meets the broker.
func (d Dir) StartSocket() string { return d.file("in/start.sock") }

// Home is where a home of mapped owners is mounted while the container is started.
func (d Dir) Home() string { return d.file("home") }

// Make makes the directory. What lies above it is for root alone.
func (d Dir) Make() error { return os.MkdirAll(d.In(), 0o755) }

// Listen binds the socket of an agent, in place of an older one, and gives the
// listening descriptor.
func (d Dir) Listen(key string) (int, error) { return seqpacket.Bind(d.agentSocket(key), 0o600, 1024) }

// Owner reads for whom the container was made. It stands in a symbolic link that
// leads nowhere: one system call reads it, and it changes at once or not at all.
func (d Dir) Owner() (policy.Owner, error) {
	text, err := os.Readlink(d.file("owner"))
	if err != nil {
		return policy.Owner{}, err
	}
	uid, identity, ok := strings.Cut(text, ":")
	n, err := strconv.ParseUint(uid, 10, 32)
	if err != nil || !ok {
		return policy.Owner{}, errors.New("broken owner in " + string(d))
	}
	return policy.Owner{UID: uint32(n), Identity: identity}, nil
}

// SetOwner writes it.
func (d Dir) SetOwner(o policy.Owner) error {
	return d.setLink("owner", strconv.FormatUint(uint64(o.UID), 10)+":"+o.Identity)
}

// setLink replaces a link in one step. The lock is held.
func (d Dir) setLink(name, text string) error {
	tmp := d.file(name + ".new")
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(text, tmp); err != nil {
		return err
	}
	return os.Rename(tmp, d.file(name))
}

// ErrCold is an agent that is not there.
var ErrCold = errors.New("no agent listens")

// crowded is how long a full queue of an agent is waited for.
const crowded = 3 * time.Second

// Dial connects to an agent. The socket is the broker's own work, in a directory
// that no container has: nothing of a user's is followed.
func (d Dir) Dial(key string) (channel.Conn, error) {
	for end := time.Now().Add(crowded); ; time.Sleep(5 * time.Millisecond) {
		fd, err := seqpacket.Connect(d.agentSocket(key))
		switch err {
		case nil:
			return channel.NewSync(fd)
		case unix.ENOENT, unix.ECONNREFUSED:
			return channel.Conn{}, ErrCold
		case unix.EAGAIN:
			if time.Now().Before(end) {
				continue
			}
			return channel.Conn{}, usererr.New(usererr.Container, "the container does not answer",
				"end some of its processes, or ask the administrator to restart it", err)
		default:
			return channel.Conn{}, err
		}
	}
}

// Lock takes the lock of the container, among processes, and makes the directory
// if it is missing.
func (d Dir) Lock(ctx context.Context) (unlock func(), err error) {
	for {
		if err := d.Make(); err != nil {
			return nil, err
		}
		unlock, err := LockFile(ctx, d.file("lock"))
		if errors.Is(err, unix.ENOENT) {
			continue // it was taken away at this very moment
		}
		if err != nil {
			return nil, err
		}
		// Whoever shut it was killed: nobody else holds the lock.
		return unlock, d.Open()
	}
}

// Shut makes logins wait for the lock: without an owner to ask for nobody enters.
func (d Dir) Shut() error {
	err := unix.Rename(d.file("owner"), d.file("owner.shut"))
	if err == unix.ENOENT {
		// A container of another host, or of a time before /run was lost. What stands
		// there is no owner, and read as one it is none.
		err = unix.Symlink("none", d.file("owner.shut"))
	}
	return err
}

// IsShut is for a login that asks for no owner.
func (d Dir) IsShut() bool {
	_, err := os.Lstat(d.file("owner.shut"))
	return !errors.Is(err, os.ErrNotExist)
}

// Open ends Shut.
func (d Dir) Open() error {
	if err := unix.Rename(d.file("owner.shut"), d.file("owner")); err != unix.ENOENT {
		return err
	}
	return nil // it was not shut
}
