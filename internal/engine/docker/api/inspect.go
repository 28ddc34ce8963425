package api

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Inspect returns the engine's description of one container by name or id. It has a
// State and a Config. engine.ErrNotFound.
func (c *Conn) Inspect(ctx context.Context, nameOrID string) (*container.InspectResponse, error) {
	var out container.InspectResponse
	err := c.CallFor(ctx, CallLimit, nameOrID, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ContainerInspect(ctx, nameOrID, client.ContainerInspectOptions{})
		out = r.Container
		return err
	})
	if err != nil {
		return nil, err
	}
	if out.State == nil || out.Config == nil || out.ID == "" {
		return nil, fmt.Errorf("the engine's description of container %s is incomplete", nameOrID)
	}
	return &out, nil
}

// EverStarted reports whether a container was started at least once; also if that cannot
// be read.
func EverStarted(r *container.InspectResponse) bool {
	at, err := time.Parse(time.RFC3339Nano, r.State.StartedAt)
	return err != nil || !at.IsZero()
}
