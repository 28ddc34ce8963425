package sys

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMainThreadIsNobodysOwn(t *testing.T) {
	for range 500 {
		thread := 0
		InOwnThread(func() { thread = unix.Gettid() })
		if thread == unix.Getpid() || thread == 0 {
			t.Fatalf("thread %d of process %d", thread, unix.Getpid())
		}
		time.Sleep(100 * time.Microsecond) // threads change
	}
}
