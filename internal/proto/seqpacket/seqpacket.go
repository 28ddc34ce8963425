// Package seqpacket carries packets and descriptors over unix sockets of type
// SOCK_SEQPACKET, and tells who is on the other side. It does not read what it
// carries.
package seqpacket

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// ErrDescriptors is a packet with more descriptors than asked for.
var ErrDescriptors = errors.New("seqpacket: too many descriptors")

// maxFDs is how many descriptors there is room for. One more than any message
// has, so that a surplus is seen rather than cut off.
const maxFDs = 4

// send sends one packet; it never raises SIGPIPE.
func send(fd int, p []byte, fds []int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	for {
		err := unix.Sendmsg(fd, p, rights, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// recv receives one packet. Every descriptor is close-on-exec from birth; on an
// error all of them are closed.
func recv(fd int, p []byte, how int) (n int, fds []int, err error) {
	oob := make([]byte, unix.CmsgSpace(maxFDs*4))
	var oobn, flags int
	for {
		n, oobn, flags, _, err = unix.Recvmsg(fd, p, oob, how|unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return 0, nil, err
	}
	fds, err = rights(oob[:oobn])
	switch {
	case err != nil:
	case flags&unix.MSG_CTRUNC != 0:
		err = ErrDescriptors
	case flags&unix.MSG_TRUNC != 0:
		err = unix.EMSGSIZE
	case n == 0:
		err = io.EOF
	default:
		return n, fds, nil
	}
	CloseAll(fds)
	return 0, nil, err
}

// rights collects the descriptors of all control messages.
func rights(oob []byte) ([]int, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var all []int
	for i := range msgs {
		if msgs[i].Header.Level != unix.SOL_SOCKET || msgs[i].Header.Type != unix.SCM_RIGHTS {
			continue
		}
		fds, err := unix.ParseUnixRights(&msgs[i])
		if err != nil {
			CloseAll(all)
			return nil, err
		}
		all = append(all, fds...)
	}
	return all, nil
}

// CloseAll closes descriptors that are not wanted.
func CloseAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd) // nothing can be done, and nothing was written
	}
}

// OutOfResources reports whether an error of Accept is a lack of descriptors or memory,
// which ends when another connection does.
func OutOfResources(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ENOMEM)
}
