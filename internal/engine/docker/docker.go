// Package docker is Docker, and Podman by its Docker-compatible API, as an
// engine.Engine: the engine's API through Docker's official client, and for making
// containers the engine's own command line, because dockeropt is by contract that
// program's option language.
//
// It works with engine 20.10 (API 1.41) and newer and with Podman 4.3, reads no
// environment variable and no file of any user, and is the only importer of the
// client.
package docker

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// callLimit is the longest that a call may take whose context has no earlier
// end. Pull has none of it: the network decides.
const callLimit = 60 * time.Second

// Engine is the engine behind one socket. It is safe for use by many
// goroutines at once and connects when it is first asked something.
type Engine struct {
	socket string // absolute path
	remote remote // instead: the way to an engine elsewhere

	// agreed is a client that has settled the API version with the engine;
	// nil before, and again when the engine says that the version is not its
	// own: it was replaced by another release in the meantime.
	agreed atomic.Pointer[client.Client]

	// dirs remembers which directories an image has, by imageDir: true or false, and
	// whose they are, by imageOwner: an owner.
	// Every look mounts the container's file system.
	dirs sync.Map

	// kind is which engine it is, as it said at the first call.
	kind atomic.Pointer[program]
}

var _ engine.Engine = (*Engine)(nil)

// New returns the engine that listens on socket, an absolute path or
// unix:///path. It does not connect: an engine that is down shows at the first
// call, as engine.ErrDown.
func New(socket string) (*Engine, error) {
	path := strings.TrimPrefix(socket, "unix://")
	if !filepath.IsAbs(path) || filepath.Clean(path) != path || strings.ContainsAny(path, "\x00\n") {
		return nil, fmt.Errorf("engine socket %q is not an absolute path", socket)
	}
	return &Engine{socket: path}, nil
}

// Close lets go of idle connections.
func (e *Engine) Close() error {
	if cli := e.agreed.Swap(nil); cli != nil {
		return cli.Close()
	}
	return nil
}

// call runs f with a context that ends after limit at the latest, and gives
// its error in our words.
func (e *Engine) call(ctx context.Context, limit time.Duration, f func(context.Context, *client.Client) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	inner, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cli, err := e.client(inner)
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
		e.agreed.CompareAndSwap(cli, nil)
	}
	return mapped(err)
}

// client agrees upon an API version before the first real request. The client
// would do it too, but goes on with its newest version when the engine does
// not answer that moment, and the engine then refuses the request.
func (e *Engine) client(ctx context.Context) (*client.Client, error) {
	if cli := e.agreed.Load(); cli != nil {
		return cli, nil
	}
	options, err := e.options()
	if err != nil {
		return nil, fmt.Errorf("engine client: %w", err)
	}
	cli, err := client.New(options...)
	if err != nil {
		return nil, fmt.Errorf("engine client: %w", err)
	}
	// No lock here: with an engine that hangs, all that wait time out at once
	// and not one after the other.
	if _, err := cli.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		_ = cli.Close()
		return nil, err
	}
	if e.remote == nil && e.kind.Load() == nil {
		p, err := kindOf(ctx, cli)
		if err != nil {
			_ = cli.Close()
			return nil, err
		}
		e.kind.Store(p)
	}
	if !e.agreed.CompareAndSwap(nil, cli) {
		if other := e.agreed.Load(); other != nil {
			_ = cli.Close()
			return other, nil
		}
	}
	return cli, nil
}
