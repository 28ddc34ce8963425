package enginerpc

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
)

var errNotShared = errors.New("login hosts do not share the containers of this engine")

// sharedCalls are those of engine.Shared.
var sharedCalls = map[string]func(context.Context, engine.Shared, *request, *answer) error{
	"Announce": func(ctx context.Context, e engine.Shared, r *request, _ *answer) error {
		return e.Announce(ctx, r.Presence)
	},
	"Enter": func(ctx context.Context, e engine.Shared, r *request, a *answer) (err error) {
		a.Container, err = e.Enter(ctx, r.ID, r.Presence)
		return err
	},
	"Withdraw": func(ctx context.Context, e engine.Shared, r *request, _ *answer) error {
		return e.Withdraw(ctx, r.Presence)
	},
	"Presences": func(ctx context.Context, e engine.Shared, _ *request, a *answer) (err error) {
		a.Presences, err = e.Presences(ctx)
		return err
	},
	"RemoveVacant": func(ctx context.Context, e engine.Shared, r *request, _ *answer) error {
		return e.RemoveVacant(ctx, r.ID, r.Ref)
	},
}

var _ engine.Shared = (*Client)(nil)

// Announce is that of engine.Shared.
func (c *Client) Announce(ctx context.Context, p engine.Presence) error {
	_, err := c.call(ctx, request{Call: "Announce", Presence: p}, nil)
	return err
}

// Enter is that of engine.Shared.
func (c *Client) Enter(ctx context.Context, id string, p engine.Presence) (*engine.Container, error) {
	a, err := c.call(ctx, request{Call: "Enter", ID: id, Presence: p}, nil)
	return a.Container, err
}

// Withdraw is that of engine.Shared.
func (c *Client) Withdraw(ctx context.Context, p engine.Presence) error {
	_, err := c.call(ctx, request{Call: "Withdraw", Presence: p}, nil)
	return err
}

// Presences is that of engine.Shared.
func (c *Client) Presences(ctx context.Context) ([]engine.Presence, error) {
	a, err := c.call(ctx, request{Call: "Presences"}, nil)
	return a.Presences, err
}

// RemoveVacant is that of engine.Shared.
func (c *Client) RemoveVacant(ctx context.Context, id, host string) error {
	_, err := c.call(ctx, request{Call: "RemoveVacant", ID: id, Ref: host}, nil)
	return err
}
