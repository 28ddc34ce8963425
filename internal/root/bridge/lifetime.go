package bridge

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// afterFront is how long a bridge may go on without its front: to hang up the session.
const afterFront = hangUpLimit + 2*grace

var errOvertime = errors.New("the front is gone, and something does not end")

// endWith runs run, and gives it up when the other end of a socket has been gone for so long.
// Whatever an agent does, such as to send a descriptor that takes days to close (SO_LINGER),
// the bridge ends then: a process that ends waits for no peer.
func endWith(socket int, limit time.Duration, run func() error) error {
	ended, gone := make(chan error, 1), make(chan error, 1)
	go func() { ended <- run() }()
	go func() { gone <- awaitHangup(socket) }()
	select {
	case err := <-ended:
		return err
	case err := <-gone:
		if err != nil {
			return <-ended
		}
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(limit):
		return errOvertime
	}
}

// awaitHangup waits until nobody has the other end of a socket. It does not keep this end
// open, as poll(2) would: to close it informs the other.
func awaitHangup(socket int) error {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(epoll)
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, socket, &unix.EpollEvent{}); err != nil { // with EPOLLHUP in any case
		return err
	}
	for {
		if n, err := unix.EpollWait(epoll, make([]unix.EpollEvent, 1), -1); n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
