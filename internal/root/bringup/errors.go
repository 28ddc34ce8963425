package bringup

import (
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// readLog is the hint of an error whose cause is in the system log alone.
const readLog = "ask the administrator to run: journalctl -t dockershd"

// explain puts an engine's error into words for the user; engine.ErrNoClient is for the
// caller.
func explain(err error) error {
	if errors.Is(err, engine.ErrNoClient) {
		return err
	}
	return engine.Explain(err, "the container cannot be started")
}

func agentSilent(cause error) error {
	return usererr.New(usererr.Container, "the container runs, but does not answer", "ask the administrator to run: dockershctl restart", cause)
}
