package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// mapped gives an error of the client in the words of package engine. What has
// none there stays the engine's own text, in one line.
func mapped(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case client.IsErrConnectionFailed(err) && strings.HasPrefix(err.Error(), "permission denied"):
		return fmt.Errorf("%w: %w", engine.ErrDenied, lined{err}) // the client keeps the errno to itself
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%w: %w", engine.ErrDown, lined{err})
	}
	return lined{err}
}

// notFound makes want of the engine's 404, which says of each call something else.
func notFound(err, want error) error {
	if cerrdefs.IsNotFound(err) {
		return fmt.Errorf("%w: %w", want, lined{err})
	}
	return err
}

// wrongVersion tells that the engine does not speak the agreed API version:
// "client version 1.41 is too old. Minimum supported API version is 1.44".
func wrongVersion(err error) bool {
	return cerrdefs.IsInvalidArgument(err) && strings.Contains(err.Error(), "client version")
}

// lined is an error whose text is one line: it goes to a log of lines.
type lined struct{ err error }

func (l lined) Error() string { return printable.Line(l.err.Error()) }
func (l lined) Unwrap() error { return l.err }

// validName tells whether s can be a container's name or id. Anything else
// must not get into the path of a request, where ".." would ask something else.
func validName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || c != '_' && c != '.' && c != '-') {
			return false
		}
	}
	return s != "" && len(s) <= 4096
}

// checkName is validName as the error that an unknown container gives.
func checkName(s string) error {
	if !validName(s) {
		return fmt.Errorf("%w: %q is no container name", engine.ErrNotFound, s)
	}
	return nil
}
