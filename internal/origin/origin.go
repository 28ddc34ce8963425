// Package origin finds out where a login comes from: from which address, as the
// kernel knows it, and by which key, as sshd told the user's process.
package origin

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"dockersh/internal/proc"
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
func Address(pid int) (netip.Addr, error) { return new(Lookup).Address(pid) }

// Lookup finds many addresses at a time: it reads the connections of a network
// once. It is for people who look; a login has one of its own.
type Lookup struct {
	connections map[string]map[string]netip.Addr // by network namespace; then the far end by the socket's inode
	sshd        map[process]bool                 // whether it is one: sessions have ancestors in common
}

type process struct {
	pid   int
	start uint64
}

// Address is as the function of that name.
func (l *Lookup) Address(pid int) (netip.Addr, error) {
	first, err := proc.Of(pid)
	if err != nil {
		return netip.Addr{}, err
	}
	here, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return netip.Addr{}, err
	}
	for p, depth := first, 0; depth < maxDepth && p.Parent > 1; depth++ {
		if p, err = proc.Of(p.Parent); err != nil {
			return netip.Addr{}, err
		}
		key := process{p.Pid, p.Start}
		is, known := l.sshd[key]
		if !known {
			if l.sshd == nil {
				l.sshd = map[process]bool{}
			}
			is = isSSHD(p.Pid, here)
			l.sshd[key] = is
		}
		if !is {
			continue
		}
		addr, err := l.peer(p.Pid)
		if err != nil {
			return netip.Addr{}, err
		}
		// Numbers come again: these must be the same processes still.
		for _, was := range []proc.Stat{first, p} {
			if now, err := proc.Of(was.Pid); err != nil || now.Start != was.Start || now.Parent != was.Parent {
				return netip.Addr{}, ErrNoConnection
			}
		}
		return addr, nil
	}
	return netip.Addr{}, ErrNoConnection
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
func (l *Lookup) peer(pid int) (netip.Addr, error) {
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
	all, err := l.network(dir)
	if err != nil {
		return netip.Addr{}, err
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

// network gives the connections of the network namespace of a process.
func (l *Lookup) network(dir string) (map[string]netip.Addr, error) {
	ns, err := os.Readlink(dir + "/ns/net")
	if err != nil {
		return nil, err
	}
	if known, ok := l.connections[ns]; ok {
		return known, nil
	}
	all := map[string]netip.Addr{}
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(dir + "/net/" + table)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // a kernel without IPv6
			return nil, err
		}
		established(string(text), all)
	}
	if l.connections == nil {
		l.connections = map[string]map[string]netip.Addr{}
	}
	l.connections[ns] = all
	return all, nil
}
