package sshd

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// far asks the kernel for the other end of connection fd of another process, through a
// copy of the descriptor (pidfd_getfd(2), since Linux 5.6), which does not disturb the
// process. The error is unix.ENOTCONN if fd is not a TCP connection.
func far(pidfd, fd int) (netip.Addr, error) {
	mine, err := unix.PidfdGetfd(pidfd, fd, 0) // close-on-exec
	if err != nil {
		return netip.Addr{}, err
	}
	defer unix.Close(mine)
	if kind, err := unix.GetsockoptInt(mine, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || kind != unix.SOCK_STREAM {
		return netip.Addr{}, unix.ENOTCONN
	}
	to, err := unix.Getpeername(mine)
	if err != nil {
		return netip.Addr{}, err
	}
	switch to := to.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(to.Addr), nil
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(to.Addr).Unmap(), nil
	}
	return netip.Addr{}, unix.ENOTCONN
}
