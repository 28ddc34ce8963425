// Package sshd finds out where a login comes from: from which address, as the
// kernel knows it, and by which key, as sshd told the user's process.
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

// ErrNoConnection is a process that no sshd of root's started for a connection of
// the network: one of su, of cron, of a console.
var ErrNoConnection = errors.New("it does not come from a connection to sshd")

// maxDepth is more than any chain of processes between sshd and a login shell.
const maxDepth = 64

// Address gives the address of the client for whom sshd started a process. The
// environment is not asked, which is as true as who set it: of the ancestors of
// the process the next one is taken that is sshd and wholly root's, which nobody
// but root can start, and of its descriptors the connection. It needs root's
// rights.
func Address(pid int) (netip.Addr, error) {
	first, err := proc.Of(pid)
	if err != nil {
		return netip.Addr{}, err
	}
	addr, err := Behind(first)
	if err == nil && !same(first) {
		err = ErrNoConnection
	}
	return addr, err
}

// Behind is Address for a process that was there a moment ago and may have ended
// since: enough for a log, not to decide by.
func Behind(first proc.Stat) (netip.Addr, error) {
	here, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return netip.Addr{}, err
	}
	for p, depth := first, 0; depth < maxDepth && p.Parent > 1; depth++ {
		child := p
		if p, err = proc.Of(p.Parent); err != nil {
			return netip.Addr{}, err
		}
		if p.Start > child.Start { // the parent has ended too, and its number is another's
			return netip.Addr{}, ErrNoConnection
		}
		// The name says nothing by itself, but it costs nothing.
		if !strings.HasPrefix(p.Name, "sshd") || !isSSHD(p.Pid, here) {
			continue
		}
		addr, err := peer(p.Pid)
		if err == nil && !same(p) {
			err = ErrNoConnection
		}
		return addr, err
	}
	return netip.Addr{}, ErrNoConnection
}

// same tells whether a process is still the one that it was: numbers come again.
func same(was proc.Stat) bool {
	now, err := proc.Of(was.Pid)
	return err == nil && now.Start == was.Start && now.Parent == was.Parent
}

// isSSHD tells whether a process is a host's sshd: all its uids are 0, it is in
// our namespace of processes and so in no container, and it runs a program of that
// name which only root can write. Since 9.8 sshd has a program for sessions.
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
	exe = strings.TrimSuffix(exe, " (deleted)") // it was upgraded under its sessions
	var st unix.Stat_t
	return slices.Contains([]string{"sshd", "sshd-session"}, exe[strings.LastIndexByte(exe, '/')+1:]) &&
		unix.Stat(dir+"/exe", &st) == nil && st.Uid == 0 && st.Mode&0o022 == 0
}

// rootsOnly reads the four uids of /proc/PID/status.
func rootsOnly(status string) bool {
	_, line, ok := strings.Cut(status, "\nUid:")
	line, _, _ = strings.Cut(line, "\n")
	return ok && slices.Equal(strings.Fields(line), []string{"0", "0", "0", "0"})
}

// peer gives the other end of the connection of an sshd. It is what sshd opened
// first: a session of root's own may have others, forwarded ones, in the same
// process.
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
	// A kernel before 5.6, or one that does not let us. While many come and go its
	// table may not have all.
	all := map[string]netip.Addr{}
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(dir + "/net/" + table)
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

// ask gives the other end of the first of the descriptors that is a connection.
// Another error than ErrNoConnection means that the kernel cannot be asked so.
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
