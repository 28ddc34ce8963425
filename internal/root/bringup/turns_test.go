package bringup

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// A user's images may come from a registry that never finishes.
func TestPullsOfOneUserDoNotHoldUpAnother(t *testing.T) {
	e := enginetest.New()
	i := newImages(state.Images(t.TempDir()))
	ctx, cancel := context.WithCancel(t.Context())
	pull := func(user uint32, name string) {
		plan := &policy.Plan{User: account.User{UID: user}, Settings: &config.Settings{ImageName: name, Pull: "missing"}}
		_, _ = i.provide(ctx, e, plan, func(string) {})
	}
	began, release := e.Hold("Pull")
	defer func() { cancel(); release() }()
	for n := range 2 * pullsAtOnce {
		go pull(1, fmt.Sprint("slow-", n))
	}
	for range pullsOfUser {
		<-began
	}
	select {
	case <-began:
		t.Errorf("%d pulls of one user at once", pullsOfUser+1)
	case <-time.After(50 * time.Millisecond):
	}
	go pull(2, "another")
	select {
	case <-began:
	case <-time.After(5 * time.Second):
		t.Error("another user's pull waits")
	}
}

// Slots at the engine go round by user.
func TestColdLoginsOfOneUserLeaveASlotForAnother(t *testing.T) {
	a := newColdLogin(t, enginetest.New(), "[dockersh]\n")
	for range atOnceOfUser {
		if _, err := a.takeSlot(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := a.takeSlot(ctx); err == nil {
		t.Errorf("%d slots for one user", atOnceOfUser+1)
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
