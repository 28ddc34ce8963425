package engine

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// Errors of every engine. Other errors are the engine's own text, for the log.
var (
	ErrNotFound  = errors.New("no such container")
	ErrNoImage   = errors.New("no such image")
	ErrNameTaken = errors.New("the container name is in use")
	ErrDown      = errors.New("the container engine does not answer")
	ErrDenied    = errors.New("the container engine may not be used")
	// ErrNoSetLimits: the limits of a container stay what it was made with.
	ErrNoSetLimits = errors.New("the container engine cannot change the limits of a container for good")
	ErrOption      = errors.New("the engine's create command refused an option")

	// ErrLeftover: the name belongs to something in the engine's storage that is no container
	// of the engine's, and that may hold somebody's work.
	ErrLeftover = errors.New("the container engine does not know the container any more, and keeps its files")

	// ErrMountInMount: a mount lies in another one. What is in that one, and so where a link
	// in it leads, may change at any moment.
	ErrMountInMount = errors.New("a mount of the container lies in another one")
)

// A container whose root is read-only cannot be given its user.
const (
	ReadOnlyText = "the container's root is read-only (--read-only in dockeropt), and its image does not know the user"
	ReadOnlyHint = "ask the administrator to run: dockershctl explain USER " +
		"(and to name an image that has the user, or to remove --read-only)"
)

const tryDoctor = "try again, or " + usererr.RunDoctor

// Explain turns an engine's error into a *usererr.Error. The text for an error that
// is not one of package engine is otherwise. The engine's own text, which may reveal
// something of the host, becomes the cause, for the log. A *usererr.Error is returned
// unchanged.
func Explain(err error, otherwise string) error {
	var explained *usererr.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &explained):
		return err
	case errors.Is(err, ErrDown):
		return usererr.New(usererr.Unavailable, ErrDown.Error(), tryDoctor, err)
	case errors.Is(err, ErrDenied):
		return usererr.New(usererr.Unavailable, "no dockersh service runs, and you may not use the container engine yourself",
			usererr.StartService, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return usererr.New(usererr.Unavailable, "the container was not ready in time", tryDoctor, err)
	case errors.Is(err, ErrOption):
		return usererr.New(usererr.Settings, "the container engine refuses an option of the settings", usererr.ReadLog, err)
	case errors.Is(err, ErrMountInMount):
		return usererr.New(usererr.Settings, ErrMountInMount.Error(),
			usererr.ReadLog+" (and to set volume to paths outside of other mounts)", err)
	case errors.Is(err, ErrLeftover):
		return usererr.New(usererr.Container, ErrLeftover.Error(),
			usererr.ReadLog+" (and to save or remove what podman ps --all --external lists)", err)
	case errors.Is(err, ErrNameTaken):
		return usererr.New(usererr.Container, ErrNameTaken.Error(), "try again, or "+usererr.ReadLog, err)
	}
	return usererr.New(usererr.Container, otherwise, usererr.ReadLog, err)
}
