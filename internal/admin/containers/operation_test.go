package containers

import (
	"context"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/root/state"
)

func TestBusyContainerNamesTheCommandThatShowsWhoWaits(t *testing.T) {
	defer func(run string) { paths.Run = run }(paths.Run)
	paths.Run = t.TempDir()
	if err := state.RunDir(paths.Run).Make(); err != nil {
		t.Fatal(err)
	}
	unlock, err := state.RunDir(paths.Run).Container("alice_dockersh").Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err = operation{}.doLocked(ctx, Container{Container: &engine.Container{Name: "alice_dockersh"}})
	const want = "a login is making or starting it (to see which login waits, run: dockershctl sessions)"
	if err == nil || cli.OneLine(err) != want {
		t.Errorf("%v", err)
	}
}
