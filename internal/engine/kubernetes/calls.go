package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/dockersh/dockersh/internal/engine"
)

// callLimit is how long one call may take: a login waits for it where there is no answer.
const callLimit = 4 * time.Second

// call makes one call to the API server, and puts its error into words of package engine.
func (e *Engine) call(ctx context.Context, f func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.calls.Add(1)
	limited, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	err := f(limited)
	if err == nil {
		return nil
	}
	if given := ctx.Err(); given != nil {
		return given // also where the call ended by another error at that moment
	}
	err = explain(err)
	if !errors.Is(err, engine.ErrNotFound) {
		e.failed.Add(1)
	}
	return err
}

func explain(err error) error {
	var network net.Error
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%w: %w", engine.ErrNotFound, err)
	case apierrors.IsAlreadyExists(err):
		return fmt.Errorf("%w: %w", engine.ErrNameTaken, err)
	case apierrors.IsUnauthorized(err), apierrors.IsForbidden(err) && isByRole(err):
		return fmt.Errorf("%w: %w", engine.ErrDenied, err)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsForbidden(err):
		return fmt.Errorf("%w: %w", engine.ErrOption, err)
	case errors.As(err, &network), errors.Is(err, context.DeadlineExceeded), apierrors.IsServiceUnavailable(err),
		apierrors.IsServerTimeout(err), apierrors.IsTooManyRequests(err), apierrors.IsInternalError(err):
		return fmt.Errorf("%w: %w", engine.ErrDown, err)
	}
	return err
}

// isByRole reports whether a refusal is that of our role. Others are of the pod: by Pod Security, or
// by a quota.
func isByRole(err error) bool { return strings.Contains(err.Error(), "\" cannot ") }

func isNotFound(err error) bool { return errors.Is(err, engine.ErrNotFound) }
func isConflict(err error) bool { return err != nil && apierrors.IsConflict(err) }
