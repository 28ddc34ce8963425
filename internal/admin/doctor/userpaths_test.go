package doctor

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/host/wait"
)

func TestPathsThatDoNotAnswerAreGivenUp(t *testing.T) {
	hung := make(chan bool)
	defer close(hung)
	var p userPaths
	start := time.Now()
	for range maxSlow {
		p.silent.Add(1) // as after so many
	}
	for range 10 {
		if p.try(t.Context(), func() { <-hung }) {
			t.Error("it answered")
		}
	}
	if d := time.Since(start); d < 10*shortLimit || d > 10*pathLimit {
		t.Errorf("it took %v", d)
	}
	if path, answered := p.realPath(t.Context(), t.TempDir()+"/../x/."); !answered || path == "" {
		t.Errorf("%q %v", path, answered)
	}
}

func TestDirectoriesThatDoNotExistAreMissing(t *testing.T) {
	dir := t.TempDir()
	got := new(userPaths).missing(t.Context(), []facts.Source{{Path: dir}, {Path: dir + "/none"}})
	if len(got) != 1 || got[0].Path != dir+"/none" {
		t.Errorf("%+v", got)
	}
}

// A command that waits for a file system may not end when it is killed.
func TestCommandThatCannotBeKilledIsLeft(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sleep", "5")
	cmd.Cancel = func() error { return nil } // it survives
	start := time.Now()
	if err := run(ctx, cmd); !errors.Is(err, wait.ErrGivenUp) || time.Since(start) > 4*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}
