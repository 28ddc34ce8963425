// Package files writes and reads files of containers that were never started. In any
// other, a process may have changed what a path leads to, and the engine follows paths
// with root's rights.
package files

import (
	"context"
	"fmt"

	"github.com/moby/moby/api/types/container"

	"github.com/dockersh/dockersh/internal/engine/docker/api"
)

// neverStarted returns the description of a container that was never started, or an error.
func neverStarted(ctx context.Context, conn *api.Conn, id string) (*container.InspectResponse, error) {
	r, err := conn.Inspect(ctx, id)
	if err != nil {
		return nil, err
	}
	if api.EverStarted(r) || r.State.Status != container.StateCreated {
		return nil, fmt.Errorf("container %s was started before: its files are not touched", id)
	}
	return r, nil
}
