package seqpacket

import (
	"errors"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// RefuseDescriptors makes c safe from descriptors that its peer sends. Recv fails with
// ErrDescriptors for a packet that has any, and leaves it in the socket. Close does not wait
// either. To close somebody else's descriptor can take as long as they like: a TCP socket
// with SO_LINGER (socket(7)) waits for its peer. Nobody else may have the socket of c.
func (c *Conn) RefuseDescriptors() { c.refuses = true }

// hasDescriptors reports whether the next packet has descriptors. It takes none: the kernel
// drops those that it would have made, of which others are left in the socket.
func hasDescriptors(fd int) (bool, error) {
	for {
		_, _, flags, _, err := unix.Recvmsg(fd, nil, nil, unix.MSG_PEEK|unix.MSG_DONTWAIT)
		if !errors.Is(err, unix.EINTR) {
			return flags&unix.MSG_CTRUNC != 0, err
		}
	}
}

// isEmpty shuts a socket down and reports whether no packet is left in it. Every packet
// would have credentials with it, even one without bytes.
func isEmpty(fd int) bool {
	if unix.Shutdown(fd, unix.SHUT_RDWR) != nil || unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1) != nil {
		return false
	}
	any, err := hasDescriptors(fd)
	return err == nil && !any
}

// CloseElsewhere runs close, which closes descriptors of this process, while another thread
// has them too, and lets that thread end: a thread that ends waits for no peer (PF_EXITING in
// inet_release of the kernel). With an error of the kernel close may wait.
func CloseElsewhere(close func() error) error {
	elsewhere.Lock()
	defer elsewhere.Unlock()
	thread, closed := make(chan int), make(chan struct{})
	go share(thread, closed)
	tid := <-thread
	err := close()
	closed <- struct{}{}
	// Only with that thread are they closed.
	for range 1000 {
		if errors.Is(unix.Tgkill(unix.Getpid(), tid, 0), unix.ESRCH) {
			break
		}
		time.Sleep(time.Millisecond / 20)
	}
	return err
}

// share has the descriptors of this process on a thread of its own until closed.
func share(thread chan<- int, closed <-chan struct{}) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() { // the first thread never ends, and is what others see in /proc
		other := make(chan int)
		go share(other, closed)
		thread <- <-other // until then this goroutine has the first thread, and the other needs another
		runtime.UnlockOSThread()
		return
	}
	// It is never unlocked, and so ends with this goroutine.
	_ = unix.Unshare(unix.CLONE_FILES)
	thread <- unix.Gettid()
	<-closed
}

// elsewhere is held so that there is one such thread at a time.
var elsewhere sync.Mutex
