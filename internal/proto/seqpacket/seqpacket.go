// Package seqpacket carries packets and descriptors over unix sockets of type
// SOCK_SEQPACKET, and identifies the peer. It does not interpret what it carries.
package seqpacket

import (
	"errors"
	"io"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrDescriptors means that a packet has more descriptors than any message.
var ErrDescriptors = errors.New("seqpacket: too many descriptors")

// maxFDs is how many descriptors recv has room for: one more than any message has, so
// that a surplus is noticed rather than cut off.
const maxFDs = 4

// send sends one packet. It never waits, and never raises SIGPIPE.
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

// recv receives one packet into p, without waiting. All descriptors are close-on-exec
// from the start; after an error none of them stays open.
func recv(fd int, p []byte, flags int) (n int, fds []int, err error) {
	oob := make([]byte, unix.CmsgSpace(maxFDs*4))
	var oobn, got int
	for {
		n, oobn, got, err = recvmsg(fd, p, oob, flags|unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
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
	case got&unix.MSG_CTRUNC != 0:
		err = ErrDescriptors
	case got&unix.MSG_TRUNC != 0:
		err = unix.EMSGSIZE
	case n == 0:
		err = io.EOF
	default:
		return n, fds, nil
	}
	CloseAll(fds)
	return 0, nil, err
}

// recvmsg is unix.Recvmsg without the address of the sender, which costs each login of a front a
// larger stack. Both p and oob may be nil.
func recvmsg(fd int, p, oob []byte, flags int) (n, oobn, got int, err error) {
	iov := unix.Iovec{Base: unsafe.SliceData(p)}
	iov.SetLen(len(p))
	msg := unix.Msghdr{Iov: &iov, Iovlen: 1, Control: unsafe.SliceData(oob)}
	msg.SetControllen(len(oob))
	r, _, errno := unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&msg)), uintptr(flags))
	if errno != 0 {
		return 0, 0, 0, errno
	}
	return int(r), int(msg.Controllen), int(msg.Flags), nil
}

// maxPacket in bytes is more than any message takes.
const maxPacket = 256 << 10

// scratch receives a packet whose length is not yet known. It is locked for one
// system call, which does not wait. It is not on the heap: pages of it that are never
// touched take no memory.
var scratch struct {
	sync.Mutex
	buf [maxPacket]byte
}

// recvCopy is recv into a buffer of just the size of the packet.
func recvCopy(fd, limit, flags int) (p []byte, fds []int, err error) {
	scratch.Lock()
	defer scratch.Unlock()
	n, fds, err := recv(fd, scratch.buf[:min(limit, maxPacket)], flags)
	return append([]byte(nil), scratch.buf[:n]...), fds, err
}

// rights returns the descriptors of all control messages.
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

// CloseAll closes descriptors that are not needed.
func CloseAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd) // nothing was written that could be lost
	}
}

// OutOfResources reports whether an error of Accept is a lack of descriptors or memory,
// which ends when another connection does.
func OutOfResources(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ENOMEM)
}
