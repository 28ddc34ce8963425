package launch

import (
	"context"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/state"
)

// Slots at the engine go round by user.
func TestColdLoginsOfOneUserLeaveASlotForAnother(t *testing.T) {
	l := New(Config{})
	for range engine.AtOnceOfUser {
		if _, err := l.acquireSlot(t.Context(), 1001, false); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := l.acquireSlot(ctx, 1001, false); err == nil {
		t.Errorf("%d slots for one user", engine.AtOnceOfUser+1)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := l.acquireSlot(ctx, 1002, false); err != nil {
		t.Errorf("another user gets none: %v", err)
	}
}

func TestForeignImagesLeaveSlotsForOthers(t *testing.T) {
	for _, shared := range []bool{false, true} {
		l := New(Config{State: state.RunDir(t.TempDir()), ShareSlots: shared})
		for n := range uint32(engine.AtOnce - keptForOthers) {
			if _, err := l.acquireSlot(t.Context(), 1001+n/engine.AtOnceOfUser, true); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := l.acquireSlot(ctx, 1009, true); err == nil {
			t.Errorf("foreign images get more than %d slots", engine.AtOnce-keptForOthers)
		}
		cancel()
		ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
		if _, err := l.acquireSlot(ctx, 1009, false); err != nil {
			t.Errorf("an image of the administrator gets none: %v", err)
		}
		cancel()
	}
}
