package seqpacket

import (
	"errors"
	"os"
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

// hasDescriptors reports whether the next packet has descriptors, or anything else beside its
// bytes. It takes none: the kernel drops those that it would have made, of which others are
// left in the socket.
func hasDescriptors(fd int) (bool, error) {
	for {
		_, _, flags, err := recvmsg(fd, nil, nil, unix.MSG_PEEK|unix.MSG_DONTWAIT)
		if !errors.Is(err, unix.EINTR) {
			return flags&unix.MSG_CTRUNC != 0, err
		}
	}
}

// closeUnread closes a socket in which packets may be that nobody has read. It does not wait:
// the loop that accepts connections calls it.
func closeUnread(f *os.File, fd int) error {
	if isEmpty(fd) {
		return f.Close()
	}
	unread.Lock()
	defer unread.Unlock()
	unread.files = append(unread.files, f)
	if !unread.closing {
		unread.closing = true
		go closeAllUnread()
	}
	return nil
}

// unread are sockets to be closed.
var unread struct {
	sync.Mutex
	files   []*os.File
	closing bool // closeAllUnread runs
}

// closeAllUnread closes them, as many as there are at a time, with one other thread.
func closeAllUnread() {
	for {
		unread.Lock()
		files := unread.files
		unread.files, unread.closing = nil, len(files) > 0
		unread.Unlock()
		if len(files) == 0 {
			return
		}
		_ = CloseElsewhere(func() error {
			for _, f := range files {
				_ = f.Close()
			}
			return nil
		})
	}
}

// maxDropped is how many packets isEmpty drops.
const maxDropped = 16

// isEmpty shuts a socket down, drops packets without descriptors, and reports whether no
// packet is left.
func isEmpty(fd int) bool {
	if unix.Shutdown(fd, unix.SHUT_RDWR) != nil {
		return false
	}
	for range maxDropped {
		if has, err := hasDescriptors(fd); has || err != nil {
			return false
		}
		if !hasPacket(fd) {
			return true
		}
		if _, _, _, err := recvmsg(fd, nil, nil, unix.MSG_DONTWAIT); err != nil {
			return false
		}
	}
	return false
}

// hasPacket reports whether there is a packet, even one without bytes, which looks like the
// end otherwise: every packet has credentials, if they are asked for.
func hasPacket(fd int) bool {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1) != nil {
		return true
	}
	defer func() { _ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 0) }()
	any, err := hasDescriptors(fd)
	return any || err != nil
}

// maxShared is how many sockets CloseShared closes at a time with the thread that calls it.
const maxShared = 16

var shared = make(chan struct{}, maxShared)

// CloseShared closes a socket that another process was given, by close. As long as that one has
// it, this is done at once. If it has ended by then, what the peer had sent goes with the
// socket, and its descriptors can take as long as the peer likes: so only maxShared calls can
// wait for that at a time. The next ones leave it to other threads, which takes longer.
func CloseShared(close func() error) error {
	select {
	case shared <- struct{}{}:
		defer func() { <-shared }()
		return close()
	default:
		return CloseElsewhere(close)
	}
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
