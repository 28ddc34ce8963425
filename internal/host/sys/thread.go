package sys

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// InOwnThread runs f in a thread that ends with it, so that nothing else has what f makes of
// the thread. That is never the main thread: it ends with the process alone, and is what
// others see of that in /proc.
func InOwnThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and not unlocked: no other goroutine gets the thread
		if unix.Gettid() == unix.Getpid() {
			InOwnThread(f) // in another one, since this one waits
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
	<-done
}
