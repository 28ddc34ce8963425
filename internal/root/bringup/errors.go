package bringup

import (
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// explain puts an engine's error into words for the user; engine.ErrNoClient is for the
// caller.
func explain(err error) error {
	if errors.Is(err, engine.ErrNoClient) {
		return err
	}
	return engine.Explain(err, "the container cannot be started")
}

func agentSilent(cause error) error {
	return usererr.New(usererr.Container, "the container runs, but does not answer", usererr.Restart, cause)
}
