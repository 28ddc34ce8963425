package bringup

import (
	"slices"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/root/state"
)

// The run-time directory is in memory.
func TestAccountsOfImagesThatAreGoneAreDropped(t *testing.T) {
	e := enginetest.New()
	i := newImages(state.Images(t.TempDir()))
	for _, id := range []string{"sha256:1", "sha256:2", "sha256:3"} {
		e.AddImage("moves", id, nil) // the image before has no name now, and is gone
		if _, err := i.accounts(t.Context(), e, id); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(5 * time.Second); !slices.Equal(i.state.IDs(), []string{"sha256:3"}); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("kept: %q", i.state.IDs())
		}
	}
	if _, err := i.accounts(t.Context(), e, "sha256:3"); err != nil || e.Calls("Create") != 3 {
		t.Errorf("%d looks into three images: %v", e.Calls("Create"), err)
	}
}
