// Package idmap finds out which numbers the users of a user namespace have outside of it,
// and mounts a directory so that its files have other owners there (user_namespaces(7),
// mount_setattr(2)).
package idmap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/proc"
)

// Range maps Count ids from Inside on to those from Outside on.
type Range struct{ Inside, Outside, Count uint32 }

// Ranges is a map of users or of groups.
type Ranges []Range

// Out returns the number that an id inside has outside; false if it has none.
func (r Ranges) Out(id uint32) (uint32, bool) {
	for _, one := range r {
		if id >= one.Inside && id-one.Inside < one.Count {
			return one.Outside + (id - one.Inside), true
		}
	}
	return 0, false
}

// OutOrNobody returns the number that an id inside has outside, and without one the number
// that nobody has.
func (r Ranges) OutOrNobody(id uint32) uint32 {
	if out, ok := r.Out(id); ok {
		return out
	}
	return 1<<32 - 1
}

// Map is a user namespace as the caller's own namespace sees it.
type Map struct {
	Users, Groups Ranges
	Same          bool // the namespace is the caller's own
}

// all has every id; the last number means "none".
var all = Ranges{{0, 0, 1<<32 - 1}}

// ErrNested is a user namespace that the engine did not make, but somebody inside. Its map
// proves nothing: in it, users can have any number they like.
var ErrNested = errors.New("the process is in a user namespace that the engine did not make")

// Of returns the map of a container, of which one holds process 1. That process may enter
// other namespaces at any moment, but it never comes back: what was looked at of it before
// Of has succeeded was the container's. The error is ErrNested, or one of the kernel.
func Of(p proc.Held) (Map, error) {
	ns, err := os.Open(p.Path("ns/user")) // held, so that its number is not given to another meanwhile
	if errors.Is(err, fs.ErrPermission) {
		return unprivileged(p)
	}
	if err != nil {
		return Map{}, err
	}
	defer ns.Close()
	if same, err := sameFile(ns, "/proc/self/ns/user"); err != nil || same {
		return Map{Users: all, Groups: all, Same: true}, err
	}
	owner, err := unix.IoctlGetUint32(int(ns.Fd()), unix.NS_GET_OWNER_UID)
	if err != nil {
		return Map{}, os.NewSyscallError("NS_GET_OWNER_UID", err)
	}
	if owner != uint32(os.Geteuid()) {
		return Map{}, ErrNested
	}
	if made, err := madeWithPIDs(ns, p); err != nil || !made {
		return Map{}, errors.Join(ErrNested, err)
	}
	var m Map
	if m.Users, err = read(p.Path("uid_map")); err != nil {
		return Map{}, err
	}
	if m.Groups, err = read(p.Path("gid_map")); err != nil {
		return Map{}, err
	}
	if same, err := sameFile(ns, p.Path("ns/user")); err != nil || !same {
		return Map{}, errors.Join(ErrNested, err)
	}
	return m, nil
}

// madeWithPIDs reports whether a user namespace is the one to which the process's pid
// namespace belongs: the engine makes both, and no process can leave the latter. Root in a
// container has root's number for the kernel, too, and may make user namespaces. A
// container without a pid namespace of its own proves nothing.
func madeWithPIDs(users *os.File, p proc.Held) (bool, error) {
	pids, err := os.Open(p.Path("ns/pid"))
	if err != nil {
		return false, err
	}
	defer pids.Close()
	if same, err := sameFile(pids, "/proc/self/ns/pid"); err != nil || same {
		return err == nil, err
	}
	fd, err := unix.IoctlRetInt(int(pids.Fd()), unix.NS_GET_USERNS)
	if err != nil {
		return false, os.NewSyscallError("NS_GET_USERNS", err)
	}
	owner := os.NewFile(uintptr(fd), "user namespace")
	defer owner.Close()
	a, err := owner.Stat()
	if err != nil {
		return false, err
	}
	b, err := users.Stat()
	return err == nil && os.SameFile(a, b), err
}

// unprivileged is Of for a caller without root's rights, who may not look at the namespace
// of another user's process. It accepts only a map of every id to itself, which nobody
// inside can make below another one.
func unprivileged(p proc.Held) (Map, error) {
	for _, name := range [...]string{"uid_map", "gid_map"} {
		r, err := read(p.Path(name))
		if err != nil {
			return Map{}, err
		}
		if !slices.Equal(r, all) {
			return Map{}, ErrNested
		}
	}
	return Map{Users: all, Groups: all, Same: true}, nil
}

func sameFile(f *os.File, path string) (bool, error) {
	a, err := f.Stat()
	if err != nil {
		return false, err
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b), err
}

func read(path string) (Ranges, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// parse reads the lines of uid_map and gid_map: inside, outside, count.
func parse(text string) (Ranges, error) {
	var out Ranges
	for line := range strings.Lines(text) {
		var n [3]uint32
		f := strings.Fields(line)
		if len(f) != len(n) {
			return nil, fmt.Errorf("%q is not a range", strings.TrimSpace(line))
		}
		for i := range n {
			v, err := strconv.ParseUint(f[i], 10, 32)
			if err != nil {
				return nil, err
			}
			n[i] = uint32(v)
		}
		out = append(out, Range{n[0], n[1], n[2]})
	}
	return out, nil
}
