// Package docker is Docker, and Podman by its Docker-compatible API, as an
// engine.Engine. The connection, through Docker's official client, is in package api;
// making containers, and where Podman differs, in package dialect; the ways to an engine
// in package transport; the files of containers that were never started in package files; the
// layers of containers in package layers, and dockersh's own networks in package networks.
//
// It works with engine 20.10 (API 1.41) and newer and with Podman 4.3, reads no
// environment variable and no file of any user.
package docker

import (
	"context"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/files"
	"github.com/dockersh/dockersh/internal/engine/docker/transport"
)

// Engine is one engine.
type Engine struct {
	conn  *api.Conn
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
	return &Engine{conn: api.New(t)}, nil
}

// Close closes idle connections.
func (e *Engine) Close() error { return e.conn.Close() }

// Counts implements engine.Engine.
func (e *Engine) Counts() engine.Counts { return e.conn.Counts() }

// PutFiles writes files and directories, in their order, into a container that was never
// started.
func (e *Engine) PutFiles(ctx context.Context, id string, list []engine.File) error {
	return files.Put(ctx, e.conn, id, list)
}

// CheckMounts implements engine.Engine.
func (e *Engine) CheckMounts(ctx context.Context, id, bare string) error {
	return files.CheckMounts(ctx, e.conn, id, bare)
}

// ReadFile reads a regular file of at most 1 MiB out of a container that was never
// started. It follows symbolic links inside the container.
func (e *Engine) ReadFile(ctx context.Context, id, name string) ([]byte, error) {
	return files.Read(ctx, e.conn, id, name)
}
