package images

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// The run-time directory is in memory.
func TestAccountsOfImagesThatAreGoneAreDropped(t *testing.T) {
	e := enginetest.New()
	i := New(state.Images(t.TempDir()))
	for _, id := range []string{"sha256:1", "sha256:2", "sha256:3"} {
		e.AddImage("moves", id, nil) // the image before has no name now, and is gone
		if _, err := i.Accounts(t.Context(), e, id); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(5 * time.Second); !slices.Equal(i.state.IDs(), []string{"sha256:3"}); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("kept: %q", i.state.IDs())
		}
	}
	if _, err := i.Accounts(t.Context(), e, "sha256:3"); err != nil || e.Calls("Create") != 3 {
		t.Errorf("%d looks into three images: %v", e.Calls("Create"), err)
	}
}

// A user's images may come from a registry that never finishes.
func TestPullsOfOneUserDoNotHoldUpAnother(t *testing.T) {
	e := enginetest.New()
	i := New(state.Images(t.TempDir()))
	ctx, cancel := context.WithCancel(t.Context())
	pull := func(user uint32, name string) {
		plan := &policy.Plan{User: account.User{UID: user}, Settings: &config.Settings{ImageName: name, Pull: "missing"}}
		_, _ = i.Provide(ctx, e, plan, func(string) {})
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
