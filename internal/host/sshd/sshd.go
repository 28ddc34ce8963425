// Package sshd finds out where a login comes from: the client's address, which the kernel
// knows, and the key, of which sshd informed the user's process.
package sshd

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/proc"
)

// ErrNoConnection is a process that root's sshd did not start for a network connection,
// but su, cron or the login at a console.
var ErrNoConnection = errors.New("it does not come from a connection to sshd")

// maxDepth is more than any chain of processes between sshd and a login shell.
const maxDepth = 64

// Address returns the address of the client for which sshd started a process. It does not
// read the environment, which has whatever its writer wrote. It finds the nearest of the
// process and its ancestors that is sshd and belongs to root entirely, so that only root can
// have started it, and the connection among that one's descriptors. It needs root's rights.
// The error is ErrNoConnection, or one of the kernel.
func Address(first proc.Stat) (netip.Addr, error) {
	addr, chain, err := find(first)
	// Each process still runs, and has the parent that it had: no number on the way was
	// another process's meanwhile.
	if err == nil && slices.ContainsFunc(chain, func(p proc.Stat) bool { return !same(p) }) {
		err = ErrNoConnection
	}
	return addr, err
}

// AddressOf is Address for a process that may have ended since first was read: good enough
// for a log, but not to decide by.
func AddressOf(first proc.Stat) (netip.Addr, error) {
	addr, _, err := find(first)
	return addr, err
}

// find returns the address, and the processes from first to sshd.
func find(first proc.Stat) (addr netip.Addr, chain []proc.Stat, err error) {
	here, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return netip.Addr{}, nil, err
	}
	for p := first; ; {
		chain = append(chain, p)
		// The name alone proves nothing, but is read without cost.
		if strings.HasPrefix(p.Name, "sshd") && isSSHD(p.Pid, here) {
			addr, err := peer(p.Pid)
			if err == nil && !same(p) {
				err = ErrNoConnection
			}
			return addr, chain, err
		}
		if len(chain) > maxDepth {
			return netip.Addr{}, nil, ErrNoConnection
		}
		if p, err = parentOf(p); err != nil {
			return netip.Addr{}, nil, err
		}
	}
}

// parentOf returns the parent of a process; ErrNoConnection if that is process 1.
func parentOf(child proc.Stat) (proc.Stat, error) {
	if child.Parent <= 1 {
		return proc.Stat{}, ErrNoConnection
	}
	p, err := proc.Of(child.Parent)
	if err == nil && p.Start > child.Start { // the parent has ended too, and another process has its number
		err = ErrNoConnection
	}
	return p, err
}

// AncestorsOf is Ancestors for a process that may have ended since first was read: good enough
// for a log, but not to decide by.
func AncestorsOf(first proc.Stat) []proc.Stat {
	chain := []proc.Stat{first}
	for len(chain) <= maxDepth {
		p, err := parentOf(chain[len(chain)-1])
		if err != nil {
			break
		}
		chain = append(chain, p)
	}
	return chain
}

// Ancestors returns a process and its ancestors, without process 1, as far as they can be
// found. No number among them was another process's meanwhile, if the process still runs.
func Ancestors(first proc.Stat) []proc.Stat {
	chain := AncestorsOf(first)
	for i, p := range chain { // a parent that is the parent still never ended since
		if !same(p) {
			return chain[:i]
		}
	}
	return chain
}

// same reports whether a process is still the one that it was: numbers are used again.
func same(was proc.Stat) bool {
	now, err := proc.Of(was.Pid)
	return err == nil && now.Start == was.Start && now.Parent == was.Parent // a child of a process that ends gets another parent
}

// isSSHD reports whether a process is the host's sshd: all its uids are 0, it is in our
// PID namespace here and so not in a container, and it runs a program of that name which
// only root can write. Since OpenSSH 9.8 sshd has a program of its own for sessions.
func isSSHD(pid int, here string) bool {
	dir := "/proc/" + strconv.Itoa(pid)
	if ns, err := os.Readlink(dir + "/ns/pid"); err != nil || ns != here {
		return false
	}
	status, err := os.ReadFile(dir + "/status")
	if err != nil || !rootsOnly(string(status)) {
		return false
	}
	exe, err := os.Readlink(dir + "/exe")
	if err != nil {
		return false
	}
	exe = strings.TrimSuffix(exe, " (deleted)") // upgraded while it runs
	var st unix.Stat_t
	return slices.Contains([]string{"sshd", "sshd-session"}, exe[strings.LastIndexByte(exe, '/')+1:]) &&
		unix.Stat(dir+"/exe", &st) == nil && st.Uid == 0 && st.Mode&0o022 == 0
}

// rootsOnly reports whether the four uids in /proc/PID/status are 0.
func rootsOnly(status string) bool {
	_, line, ok := strings.Cut(status, "\nUid:")
	line, _, _ = strings.Cut(line, "\n")
	return ok && slices.Equal(strings.Fields(line), []string{"0", "0", "0", "0"})
}

// peer returns the other end of the connection of an sshd. It is the first connection
// that sshd opened: in a session of root, the same process may have forwarded ones too.
func peer(pid int) (netip.Addr, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	entries, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return netip.Addr{}, err
	}
	var fds []int
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil {
			fds = append(fds, fd)
		}
	}
	slices.Sort(fds)
	if addr, err := ask(pid, fds); err == nil || errors.Is(err, ErrNoConnection) {
		return addr, err
	}
	// A kernel before 5.6, or one that does not allow it. Its table of connections may be
	// incomplete while many of them begin and end.
	all := map[string]netip.Addr{}
	// The connection is in the network that sshd was in when it came: ours.
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile("/proc/self/net/" + table)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // a kernel without IPv6
			return netip.Addr{}, err
		}
		established(string(text), all)
	}
	for _, fd := range fds {
		to, err := os.Readlink(dir + "/fd/" + strconv.Itoa(fd))
		if err != nil {
			continue // closed meanwhile
		}
		inode, ok := strings.CutPrefix(to, "socket:[")
		if addr, known := all[strings.TrimSuffix(inode, "]")]; ok && known {
			return addr, nil
		}
	}
	return netip.Addr{}, ErrNoConnection
}

// ask returns the other end of the first descriptor that is a connection. Any other error
// than ErrNoConnection means that the kernel cannot be asked in this way.
func ask(pid int, fds []int) (netip.Addr, error) {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return netip.Addr{}, err
	}
	defer unix.Close(pidfd)
	for _, fd := range fds {
		addr, err := far(pidfd, fd)
		switch {
		case err == nil:
			return addr, nil
		case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
			return netip.Addr{}, err
		}
	}
	return netip.Addr{}, ErrNoConnection
}
