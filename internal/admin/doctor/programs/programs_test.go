package programs

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/host/wait"
)

// A command that waits for a file system may not end when it is killed.
func TestCommandThatCannotBeKilledIsLeft(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sleep", "5")
	cmd.Cancel = func() error { return nil } // it survives
	start := time.Now()
	if err := Run(ctx, cmd); !errors.Is(err, wait.ErrGivenUp) || time.Since(start) > 4*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}
