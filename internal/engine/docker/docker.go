// Package docker is Docker, and Podman by its Docker-compatible API, as an
// engine.Engine: the engine's API through Docker's official client. Making
// containers, and what Podman does otherwise, is in package dialect; the ways to an
// engine are in package transport.
//
// It works with engine 20.10 (API 1.41) and newer and with Podman 4.3, reads no
// environment variable and no file of any user, and is the only importer of the
// client.
package docker

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/engine/docker/transport"
)

// callLimit is the longest that a call may take whose context has no earlier
// end. It does not apply to Pull, which depends on the network.
const callLimit = 60 * time.Second

// Engine is one engine.
type Engine struct {
	*conn
	paths imagePaths
	marks imageMarks
}

var _ engine.Engine = (*Engine)(nil)

// Open returns the engine at an address; it is an engine.Opener. An engine that is
// down shows at the first call, as engine.ErrDown.
func Open(a engine.Address) (engine.Engine, error) {
	t, err := transport.Of(a)
	if err != nil {
		return nil, err
	}
	return &Engine{conn: &conn{transport: t}}, nil
}

// conn is the connection to an engine.
type conn struct {
	transport *transport.Transport

	// agreed is a client that has settled the API version with the engine;
	// nil before, and again when the engine says that the version is not its
	// own: it was replaced by another release in the meantime.
	agreed atomic.Pointer[client.Client]

	// known is the engine's dialect, once it has answered.
	known atomic.Pointer[dialect.Dialect]
}

// Close closes idle connections.
func (c *conn) Close() error {
	if cli := c.agreed.Swap(nil); cli != nil {
		return cli.Close()
	}
	return nil
}

// call runs f with a context that ends after limit at the latest, and returns its
// error in the words of package engine.
func (c *conn) call(ctx context.Context, limit time.Duration, f func(context.Context, *client.Client) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	inner, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cli, err := c.client(inner)
	if err == nil {
		err = f(inner, cli)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() == nil && inner.Err() != nil {
		// Our own limit, not the caller's: the engine hangs.
		return fmt.Errorf("%w: no answer within %v", engine.ErrDown, limit)
	}
	if wrongVersion(err) {
		c.agreed.CompareAndSwap(cli, nil)
	}
	return engineError(err)
}

// callFor is call for a request about one container: ErrNotFound.
func (c *conn) callFor(ctx context.Context, limit time.Duration, id string, f func(context.Context, *client.Client) error) error {
	if err := checkName(id); err != nil {
		return err
	}
	return c.call(ctx, limit, func(ctx context.Context, cli *client.Client) error {
		return notFound(f(ctx, cli), engine.ErrNotFound)
	})
}

// client agrees upon an API version before the first real request. The client
// would do it too, but goes on with its newest version when the engine does
// not answer that moment, and the engine then refuses the request.
func (c *conn) client(ctx context.Context) (*client.Client, error) {
	if cli := c.agreed.Load(); cli != nil {
		return cli, nil
	}
	cli, err := newClient(c.transport)
	if err != nil {
		return nil, fmt.Errorf("engine client: %w", err)
	}
	// No lock here: with an engine that hangs, all callers time out at once and
	// not one after the other.
	if _, err := cli.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		_ = cli.Close()
		return nil, err
	}
	if c.known.Load() == nil {
		d := &dialect.Docker // only Docker's ways lead to another host
		if c.transport.Socket != "" {
			if d, err = dialectOf(ctx, cli); err != nil {
				_ = cli.Close()
				return nil, err
			}
		}
		c.known.Store(d)
	}
	if !c.agreed.CompareAndSwap(nil, cli) {
		if other := c.agreed.Load(); other != nil {
			_ = cli.Close()
			return other, nil
		}
	}
	return cli, nil
}

func newClient(t *transport.Transport) (*client.Client, error) {
	limit := client.WithHTTPResponseHook(limitImageAnswer)
	switch {
	case t.SSH():
		// DialContext alone knows the host; this name is never looked up.
		return client.New(client.WithHost("http://docker.invalid"), client.WithDialContext(t.DialContext), limit)
	case t.Key != "":
		if err := t.CheckFiles(); err != nil {
			return nil, err
		}
		return client.New(client.WithTLSClientConfig(t.CA, t.Cert, t.Key), client.WithHost(t.URL), limit)
	}
	return client.New(client.WithHost(t.URL), limit)
}

func dialectOf(ctx context.Context, cli *client.Client) (*dialect.Dialect, error) {
	v, err := cli.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return nil, err
	}
	var components []string
	for _, c := range v.Components {
		components = append(components, c.Name)
	}
	return dialect.Of(components), nil
}

// dialect is Docker's until the engine has answered.
func (c *conn) dialect() *dialect.Dialect {
	if d := c.known.Load(); d != nil {
		return d
	}
	return &dialect.Docker
}

// settledDialect asks the engine which dialect it has, unless that is known.
func (c *conn) settledDialect(ctx context.Context) (*dialect.Dialect, error) {
	err := c.call(ctx, callLimit, func(context.Context, *client.Client) error { return nil })
	return c.dialect(), err
}
