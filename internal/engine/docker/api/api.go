// Package api is the connection to an engine that speaks Docker's API, through Docker's
// official client: agreeing upon a version, the limit of each call, and its errors in the
// words of package engine.
package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/engine/docker/transport"
)

// CallLimit is the longest that a call may take whose context has no earlier
// end. It does not apply to pulls, which depend on the network.
const CallLimit = 60 * time.Second

// Conn is the connection to an engine.
type Conn struct {
	Transport *transport.Transport

	// agreed is a client that has settled the API version with the engine;
	// nil before, and again when the engine reports that the version is not its
	// own: it was replaced by another release in the meantime.
	agreed atomic.Pointer[client.Client]

	// known is the engine's dialect, once it has answered.
	known atomic.Pointer[dialect.Dialect]

	calls, failed atomic.Uint64
}

// New returns a connection that is made at the first call.
func New(t *transport.Transport) *Conn { return &Conn{Transport: t} }

// Close closes idle connections.
func (c *Conn) Close() error {
	if cli := c.agreed.Swap(nil); cli != nil {
		return cli.Close()
	}
	return nil
}

// Call runs f with a context that ends after limit at the latest, and returns its
// error in the words of package engine.
func (c *Conn) Call(ctx context.Context, limit time.Duration, f func(context.Context, *client.Client) error) error {
	return c.Count(c.call(ctx, limit, f))
}

func (c *Conn) call(ctx context.Context, limit time.Duration, f func(context.Context, *client.Client) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	inner, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cli, err := c.Client(inner)
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
	return Error(err)
}

// Count counts a call that is over, and returns its error.
func (c *Conn) Count(err error) error {
	c.calls.Add(1)
	if err != nil && !errors.Is(err, context.Canceled) && !cerrdefs.IsNotFound(err) && !errors.Is(err, engine.ErrNotFound) {
		c.failed.Add(1)
	}
	return err
}

// Counts returns how many calls there were.
func (c *Conn) Counts() engine.Counts {
	return engine.Counts{Calls: c.calls.Load(), Failed: c.failed.Load()}
}

// CallFor is Call for a request about one container: ErrNotFound.
func (c *Conn) CallFor(ctx context.Context, limit time.Duration, id string, f func(context.Context, *client.Client) error) error {
	if err := checkName(id); err != nil {
		return err
	}
	return c.Call(ctx, limit, func(ctx context.Context, cli *client.Client) error {
		return NotFound(f(ctx, cli), engine.ErrNotFound)
	})
}

// Client agrees upon an API version before the first real request. The client
// would do it too, but goes on with its newest version when the engine does
// not answer that moment, and the engine then refuses the request.
func (c *Conn) Client(ctx context.Context) (*client.Client, error) {
	if cli := c.agreed.Load(); cli != nil {
		return cli, nil
	}
	cli, err := newClient(c.Transport)
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
		if c.Transport.Socket != "" {
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
	if !dialect.IsPodman(components) {
		return &dialect.Docker, nil
	}
	uid, err := Listener(ctx, cli)
	if err != nil {
		return nil, err
	}
	if uid != 0 {
		return &dialect.RootlessPodman, nil
	}
	return &dialect.Podman, nil
}

// Listener returns who listens at the engine's socket on this host, by the kernel: Podman 4.3 does not report
// whether it is rootless where Docker does (SecurityOptions).
func Listener(ctx context.Context, cli *client.Client) (uid uint32, err error) {
	conn, err := cli.Dialer()(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return 0, errors.New("the engine's socket is none of this host")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var cerr error
	if err := raw.Control(func(fd uintptr) { cred, cerr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return 0, err
	}
	if cerr != nil {
		return 0, os.NewSyscallError("getsockopt", cerr)
	}
	return cred.Uid, nil
}

// Dialect is Docker's until the engine has answered.
func (c *Conn) Dialect() *dialect.Dialect {
	if d := c.known.Load(); d != nil {
		return d
	}
	return &dialect.Docker
}

// SettledDialect asks the engine which dialect it has, unless that is known.
func (c *Conn) SettledDialect(ctx context.Context) (*dialect.Dialect, error) {
	err := c.Call(ctx, CallLimit, func(context.Context, *client.Client) error { return nil })
	return c.Dialect(), err
}
