// Package wait is for goroutines that wait: with a limit, for their turn, or for work that
// another one does already. A Quota is for those that must not wait, as they are too many.
package wait

import (
	"context"
	"time"
)

// Sleep waits for d, or until ctx ends.
func Sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Until waits for the end of f, and reports whether it ended before ctx did; else f runs on.
func Until(ctx context.Context, f func()) bool {
	done := make(chan struct{})
	go func() { f(); close(done) }()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
