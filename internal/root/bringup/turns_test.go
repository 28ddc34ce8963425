package bringup

import (
	"context"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
)

// Slots at the engine go round by user.
func TestColdLoginsOfOneUserLeaveASlotForAnother(t *testing.T) {
	a := newColdLogin(t, enginetest.New(), "[dockersh]\n")
	for range engine.AtOnceOfUser {
		if _, err := a.takeSlot(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := a.takeSlot(ctx); err == nil {
		t.Errorf("%d slots for one user", engine.AtOnceOfUser+1)
	}
	other := *a.plan
	other.User.UID++
	b := *a
	b.plan = &other
	ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := b.takeSlot(ctx); err != nil {
		t.Errorf("another user gets none: %v", err)
	}
}
