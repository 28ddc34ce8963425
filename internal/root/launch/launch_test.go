package launch

import (
	"context"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// Slots at the engine go round by user.
func TestColdLoginsOfOneUserLeaveASlotForAnother(t *testing.T) {
	l := New(Config{})
	for range engine.AtOnceOfUser {
		if _, err := l.acquireSlot(t.Context(), 1001); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := l.acquireSlot(ctx, 1001); err == nil {
		t.Errorf("%d slots for one user", engine.AtOnceOfUser+1)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := l.acquireSlot(ctx, 1002); err != nil {
		t.Errorf("another user gets none: %v", err)
	}
}
