// Package idmap knows how the users of a user namespace are numbered outside of
// it, and mounts a directory so that its files have other owners there
// (user_namespaces(7), mount_setattr(2)).
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
)

// Range says that count ids from inside on are those from outside on.
type Range struct{ Inside, Outside, Count uint32 }

// Ranges is one map, of users or of groups.
type Ranges []Range

// Out gives the number that an id inside has outside; false if it has none.
func (r Ranges) Out(id uint32) (uint32, bool) {
	for _, one := range r {
		if id >= one.Inside && id-one.Inside < one.Count {
			return one.Outside + (id - one.Inside), true
		}
	}
	return 0, false
}

// Map is a user namespace as the caller's own namespace sees it.
type Map struct {
	Users, Groups Ranges
	Same          bool // it is the caller's own
}

// all is every id there is; the last one means "none".
var all = Ranges{{0, 0, 1<<32 - 1}}

// ErrNested is a user namespace that somebody inside made. Its map would be that
// one's word, not the engine's: a user may call himself what he likes in there.
var ErrNested = errors.New("the process is in a user namespace that the engine did not make")

// Of gives the map of a container, by its process 1.
func Of(pid int) (Map, error) {
	proc := "/proc/" + strconv.Itoa(pid)
	ns, err := os.Open(proc + "/ns/user") // held: its number is not given to another meanwhile
	if errors.Is(err, fs.ErrPermission) {
		return unprivileged(proc)
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
	var m Map
	if m.Users, err = read(proc + "/uid_map"); err != nil {
		return Map{}, err
	}
	if m.Groups, err = read(proc + "/gid_map"); err != nil {
		return Map{}, err
	}
	if same, err := sameFile(ns, proc+"/ns/user"); err != nil || !same {
		return Map{}, errors.Join(ErrNested, err)
	}
	return m, nil
}

// unprivileged is Of for a caller without root's rights, who may not look at the
// namespace of another user's process. Only one that maps every id to itself is
// known by that: nobody inside can make such a one below another.
func unprivileged(proc string) (Map, error) {
	for _, name := range [...]string{"/uid_map", "/gid_map"} {
		r, err := read(proc + name)
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
			return nil, fmt.Errorf("%q is no range", strings.TrimSpace(line))
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
