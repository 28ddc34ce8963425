// Package netns opens the network namespaces of processes (network_namespaces(7)).
package netns

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sys"
)

// ErrHost is a process in the network namespace of the host.
var ErrHost = errors.New("the process is in the network of the host")

// Of opens the network namespace of a process, which the caller closes. Pid and Start of p
// are set. The error is ErrHost, proc.ErrGone if the process has ended, or one of the kernel.
func Of(p proc.Stat) (*os.File, error) {
	held, err := proc.Hold(p.Pid)
	if err != nil {
		return nil, err
	}
	defer held.Close()
	if !p.IsSame() { // now it is the process that is held
		return nil, proc.ErrGone
	}
	fd, err := unix.Open(held.Path("ns/net"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		return nil, proc.ErrGone // since
	}
	if err != nil {
		return nil, os.NewSyscallError("open", err)
	}
	ns := os.NewFile(uintptr(fd), "network namespace")
	host, err := isHosts(ns)
	if err == nil && host {
		err = ErrHost
	}
	if err != nil {
		_ = ns.Close()
		return nil, err
	}
	return ns, nil
}

// In runs f in a network namespace, in a thread that ends with it.
func In(ns *os.File, f func()) (err error) {
	sys.InOwnThread(func() {
		if err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err == nil {
			f()
		}
	})
	return os.NewSyscallError("setns", err)
}

// isHosts reports whether a namespace is the caller's own, or that of the host's process 1.
func isHosts(ns *os.File) (bool, error) {
	theirs, err := ns.Stat()
	if err != nil {
		return false, err
	}
	for _, path := range []string{"/proc/self/ns/net", "/proc/1/ns/net"} {
		hosts, err := os.Stat(path)
		if errors.Is(err, os.ErrPermission) {
			continue // process 1 runs as root
		}
		if err != nil {
			return false, err
		}
		if os.SameFile(theirs, hosts) {
			return true, nil
		}
	}
	return false, nil
}
