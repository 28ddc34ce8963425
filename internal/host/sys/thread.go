package sys

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// InOwnThread runs f in a thread that ends with it, so that nothing else runs in a thread that f
// has changed. That is never the main thread, which ends only with the process, and whose
// namespaces and credentials /proc shows as the process's.
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
