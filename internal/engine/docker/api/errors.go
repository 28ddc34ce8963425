package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// Error returns an error of the client as one of package engine. Any other
// error keeps the engine's own text, in one line.
func Error(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case client.IsErrConnectionFailed(err) && strings.HasPrefix(err.Error(), "permission denied"):
		return fmt.Errorf("%w: %w", engine.ErrDenied, oneLine{err}) // the client keeps the errno to itself
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%w: %w", engine.ErrDown, oneLine{err})
	}
	return oneLine{err}
}

// NotFound wraps the engine's 404 in want: what is missing depends on the call.
func NotFound(err, want error) error {
	if cerrdefs.IsNotFound(err) {
		return fmt.Errorf("%w: %w", want, oneLine{err})
	}
	return err
}

// wrongVersion reports whether the engine does not speak the agreed API version:
// "client version 1.41 is too old. Minimum supported API version is 1.44".
func wrongVersion(err error) bool {
	return cerrdefs.IsInvalidArgument(err) && strings.Contains(err.Error(), "client version")
}

// OneLine returns the error with its text in one line: it goes to a log of lines.
func OneLine(err error) error { return oneLine{err} }

type oneLine struct{ err error }

func (o oneLine) Error() string { return printable.Line(o.err.Error()) }
func (o oneLine) Unwrap() error { return o.err }

// checkName returns the error of an unknown container for what cannot be a name.
func checkName(s string) error {
	if !dialect.ValidName(s) {
		return fmt.Errorf("%w: %q cannot be the name of a container", engine.ErrNotFound, s)
	}
	return nil
}
