package state

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/rules/policy"
)

// ContainerDir is the directory with what brokers know of one container, out of everyone
// else's reach:
//
//	owner            for whom it was made (a link, see writeLink)
//	made             what it was made from (likewise)
//	kept             why it was not carried over to other settings (likewise)
//	verified         process 1 since whose start the mounts are known to be in place (likewise)
//	sources          directories of the host that were mounted at the last start
//	reverse          reverse forwards that are carried, by the process that has the file's lock
//	agent-KEY.sock   listening socket of an agent
//	in/              mounted read-only into the container
//	in/start.sock    while an agent is awaited
//	home/            where the engine finds an idmapped home during a start
//	lock             held while the container is made, started, stopped or removed
//	owner.shut       the name of owner while no login may enter without the lock
type ContainerDir string

func (c ContainerDir) file(name string) string { return filepath.Join(string(c), name) }

// Name returns the name of the container.
func (c ContainerDir) Name() string { return filepath.Base(string(c)) }

// AgentSocket returns the path of the listening socket of an agent. Key names which
// container user the agent serves, with which groups (policy.Plan.AgentKey).
func (c ContainerDir) AgentSocket(key string) string { return c.file("agent-" + key + ".sock") }

// AgentSocketsOf returns the paths of the sockets of one container user's agents, which have
// different groups (policy.Plan.AgentKey), listening or not.
func (c ContainerDir) AgentSocketsOf(agent string) []string {
	all, _ := filepath.Glob(c.AgentSocket(agent + ".*"))
	return append(all, c.AgentSocket(agent))
}

// AgentSockets returns the paths of all sockets of agents, listening or not.
func (c ContainerDir) AgentSockets() []string {
	all, _ := filepath.Glob(c.AgentSocket("*")) // fails only on a bad pattern
	return all
}

// Mounted returns the directory that is mounted, read-only, into the container.
func (c ContainerDir) Mounted() string { return c.file("in") }

// StartSocket returns the path where an agent that was just started finds the broker.
func (c ContainerDir) StartSocket() string { return c.file("in/start.sock") }

// LastStart returns what is known of the last start of the container.
func (c ContainerDir) LastStart() LastStart { return LastStart{c} }

// Home returns where an idmapped home is mounted while the container is started.
func (c ContainerDir) Home() string { return c.file("home") }

// Make makes the directory. What lies above it is for root alone.
func (c ContainerDir) Make() error { return os.MkdirAll(c.Mounted(), 0o755) }

// Mark names the directory among all hosts, for a label of the container that is made
// for it: a container may be renamed, an image of it started by hand, and an engine
// used by several hosts and by brokers with other directories.
func (c ContainerDir) Mark() string { return HostID() + ":" + string(c) }

// HostID returns what tells this host from others; empty without a machine-id(5).
func HostID() string {
	id, _ := os.ReadFile("/etc/machine-id")
	return strings.TrimSpace(string(id))
}

// SharedMark is the mark of a container that login hosts share: what all of them know of it is with its
// engine.
func (c ContainerDir) SharedMark() string { return "shared:" + c.Name() }

// HasMark reports whether a mark is the directory's.
func (c ContainerDir) HasMark(mark string) bool {
	return mark == c.SharedMark() || strings.HasSuffix(mark, ":"+string(c)) && mark == c.Mark() // most need no file
}

// Owner returns for whom the container was made. While the container is shut, or
// without one, the error is not nil.
func (c ContainerDir) Owner() (policy.Owner, error) {
	text, err := os.Readlink(c.file("owner"))
	if err != nil {
		return policy.Owner{}, err
	}
	uid, identity, ok := strings.Cut(text, ":")
	n, err := strconv.ParseUint(uid, 10, 32)
	if err != nil || !ok {
		return policy.Owner{}, errors.New("broken owner in " + string(c))
	}
	return policy.Owner{UID: uint32(n), Identity: identity}, nil
}

// SetOwner writes the owner. The caller holds the lock.
func (c ContainerDir) SetOwner(o policy.Owner) error {
	return c.writeLink("owner", strconv.FormatUint(uint64(o.UID), 10)+":"+o.Identity)
}

func (c ContainerDir) writeLink(name, text string) error {
	return writeLink(c.file(name), c.file(name+".new"), text)
}

// Made is what a container was made from. Its labels have the same, which only the
// engine can be asked for.
type Made struct {
	UID      uint32 // of the user whose login made it
	Settings string // hash
	Image    string // as it was asked for
	ImageID  string

	// Fixed is the hash without limits; empty where it is not known, or where the container
	// has limits that are not those of the settings and cannot be.
	Fixed string
	// Limits are those of the settings when the container was last made to have them.
	Limits string

	// Engine is the host of the engine's address; empty where an earlier version wrote it.
	Engine string
}

// Made returns what the container was made from; fs.ErrNotExist.
func (c ContainerDir) Made() (Made, error) {
	text, err := os.Readlink(c.file("made"))
	if err != nil {
		return Made{}, err
	}
	f := strings.Split(text, "\t")  // no setting may hold a tab
	if len(f) == 4 || len(f) == 6 { // of an earlier version
		f = append(f, "", "", "")[:7]
	}
	if len(f) != 7 {
		return Made{}, errMade
	}
	uid, err := strconv.ParseUint(f[0], 10, 32)
	if err != nil {
		return Made{}, errMade
	}
	return Made{uint32(uid), f[1], f[2], f[3], f[4], f[5], f[6]}, nil
}

var errMade = errors.New("broken file of what a container was made from")

// SetMade writes what the container was made from. The caller holds the lock.
func (c ContainerDir) SetMade(m Made) error {
	return c.writeLink("made", strings.Join([]string{
		strconv.FormatUint(uint64(m.UID), 10), m.Settings, m.Image, m.ImageID, m.Fixed, m.Limits, m.Engine,
	}, "\t"))
}

// Lock takes the lock of the container among processes, and makes the directory if it
// is missing. A container that is shut is opened: whoever shut it was killed, since
// nobody else holds the lock.
func (c ContainerDir) Lock(ctx context.Context) (unlock func(), err error) {
	for {
		if err := c.Make(); err != nil {
			return nil, err
		}
		unlock, err := LockFile(ctx, c.file("lock"))
		if errors.Is(err, unix.ENOENT) {
			continue // the directory was removed at this very moment
		}
		if err != nil {
			return nil, err
		}
		return unlock, c.Open()
	}
}

// Shut makes logins wait for the lock: without an owner no login is warm.
func (c ContainerDir) Shut() error {
	err := unix.Rename(c.file("owner"), c.file("owner.shut"))
	if errors.Is(err, unix.ENOENT) {
		// A container of another host, or from before /run was lost. The text is not
		// an owner, and is not read as one.
		err = unix.Symlink("none", c.file("owner.shut"))
	}
	return err
}

// Open ends Shut; a container that is not shut stays as it is.
func (c ContainerDir) Open() error {
	if err := unix.Rename(c.file("owner.shut"), c.file("owner")); !errors.Is(err, unix.ENOENT) {
		return err
	}
	return nil
}

// Disown forgets for whom a container was made that is shut: until SetOwner no login enters it
// without the lock, whoever has held that and was killed.
func (c ContainerDir) Disown() error {
	for _, name := range []string{"owner.shut", "owner"} {
		if err := unix.Unlink(c.file(name)); err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	return nil
}

// Kept is why a container is not carried over to other settings.
type Kept struct {
	Settings string // the hash of those settings
	Refused  bool   // the engine refuses them, after all has been copied
	Why      string
}

// keptLimit and refusedLimit are how long a login does not try again.
const (
	keptLimit    = time.Minute
	refusedLimit = time.Hour
)

const refusedMark = "!" // before the hash

// SetKept writes why a container is not carried over. The caller holds the lock.
func (c ContainerDir) SetKept(k Kept) error {
	mark := ""
	if k.Refused {
		mark = refusedMark
	}
	return c.writeLink("kept", mark+k.Settings+"\t"+strings.ReplaceAll(k.Why, "\n", " "))
}

// Kept returns why a container is not carried over; ok is false where that is not known, or old.
func (c ContainerDir) Kept() (k Kept, ok bool) {
	info, err := os.Lstat(c.file("kept"))
	if err != nil {
		return k, false
	}
	text, err := os.Readlink(c.file("kept"))
	k.Settings, k.Why, ok = strings.Cut(text, "\t")
	limit := keptLimit
	if k.Settings, k.Refused = strings.CutPrefix(k.Settings, refusedMark); k.Refused {
		limit = refusedLimit
	}
	return k, ok && err == nil && time.Since(info.ModTime()).Abs() <= limit
}

// IsShut reports whether the container is shut, for a login that needs no owner.
func (c ContainerDir) IsShut() bool {
	_, err := os.Lstat(c.file("owner.shut"))
	return !errors.Is(err, os.ErrNotExist)
}

// Unused reports whether the directory exists and nothing in it is worth keeping: its
// container was never made, or is gone.
func (c ContainerDir) Unused() bool {
	for _, name := range []string{"", "owner", "owner.shut", "made"} {
		if _, err := os.Lstat(c.file(name)); (name == "") == errors.Is(err, os.ErrNotExist) {
			return false
		}
	}
	return true
}
