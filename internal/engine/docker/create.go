package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// cleanLimit is the longest that Create looks for, and removes, what a failed
// command made.
const cleanLimit = 5 * time.Second

// Create makes the container with the engine's own command line and returns
// what the engine made of it. It then compares what was made with what was asked for: an option
// can swallow the words after it (--init takes no value: `--init foo` makes foo
// the image). Of a container that is not as asked for, and after any error,
// nothing is left; when the context ends in the middle this may take finishLimit
// and cleanLimit longer. ErrNameTaken, ErrNoImage, ErrOption, ErrDown.
func (e *Engine) Create(ctx context.Context, s engine.Spec) (*engine.Container, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	inner, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	p, err := e.settle(inner)
	if err != nil {
		return nil, err
	}
	if err := p.checkSpec(s); err != nil {
		return nil, err
	}
	mark := rand.Text()
	args := append([]string{"create", "--label=" + engine.LabelCreate + "=" + mark}, p.createArgs(s)...)
	stdout, stderr, killed, err := e.runCLI(inner, p, args...)
	id := strings.TrimSpace(stdout)
	var made *engine.Container
	if err == nil {
		made, err = e.verify(inner, id, mark, s)
	} else {
		err = e.whyNot(ctx, s, err, stderr)
	}
	if err == nil {
		return made, nil
	}
	if left := e.cleanUp(ctx, mark, id, killed); left != nil {
		err = fmt.Errorf("%w; and it could not be removed: %w", err, left)
	}
	return nil, err
}

// verify compares a new container with its description, and gives it.
func (e *Engine) verify(ctx context.Context, id, mark string, s engine.Spec) (*engine.Container, error) {
	if len(id) != 64 || !validName(id) {
		// `--help` among the options, for one, succeeds and makes nothing.
		return nil, fmt.Errorf("%w: it made no container: %s", engine.ErrOption, printable.Line(id))
	}
	r, err := e.inspect(ctx, id)
	if err != nil {
		return nil, err
	}
	if s.ImageID != "" && r.Image != s.ImageID {
		return nil, fmt.Errorf("%s is another image by now than %s", s.Image, s.ImageID)
	}
	image := r.Config.Image
	if e.program().fullNames {
		// It tells the image by its full name: what counts is which one it is.
		id, err := e.ImageID(ctx, s.Image)
		if err != nil {
			return nil, err
		}
		if id == r.Image {
			image = s.Image
		}
	}
	if what := difference(r, image, mark, s); what != "" {
		return nil, fmt.Errorf("%w: the %s is not as asked for; check that each option has its value", engine.ErrOption, what)
	}
	return fromInspect(r), nil
}

// difference names the first thing of the container that is not as described.
func difference(r *container.InspectResponse, image, mark string, s engine.Spec) string {
	switch {
	case r.Name != "/"+s.Name:
		return "name"
	case image != s.Image:
		return "image"
	case r.Config.Labels[engine.LabelCreate] != mark:
		return "label " + engine.LabelCreate
	case !s.UserFirst && r.Config.User != numbers(s.UID, s.GID):
		return "user"
	case s.Entrypoint != "" && !slices.Equal(r.Config.Entrypoint, []string{s.Entrypoint}):
		return "entrypoint"
	case len(s.Cmd) > 0 && !slices.Equal(r.Config.Cmd, s.Cmd):
		return "command"
	}
	for k, v := range s.Labels {
		if got, ok := r.Config.Labels[k]; !ok || got != v {
			return "label " + k
		}
	}
	return ""
}

// whyNot turns a failed create command into an error of package engine. It asks
// the engine instead of reading the command's prose, which changes between
// releases.
func (e *Engine) whyNot(ctx context.Context, s engine.Spec, err error, stderr string) error {
	words := printable.Line(stderr)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: the create command did not end within %v", engine.ErrDown, callLimit)
	case !errors.As(err, &exit):
		return fmt.Errorf("the create command: %w", lined{err})
	}
	if _, err := e.ImageID(ctx, s.Image); errors.Is(err, engine.ErrNoImage) || errors.Is(err, engine.ErrDown) {
		return err
	}
	if _, err := e.Find(ctx, s.Name); err == nil {
		return fmt.Errorf("%w: %s", engine.ErrNameTaken, words)
	}
	if !exit.Exited() || strings.Contains(words, "no space left on device") {
		return fmt.Errorf("the create command: %w: %s", err, words)
	}
	return fmt.Errorf("%w: %s", engine.ErrOption, words)
}

// cleanUp removes what a failed Create made. After a killed command it looks
// for a while, because the engine finishes what it was asked for.
func (e *Engine) cleanUp(ctx context.Context, mark, id string, killed bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanLimit)
	defer cancel()
	for {
		found, err := e.list(ctx, engine.LabelCreate+"="+mark, false)
		for i := range found {
			if err := e.Remove(ctx, found[i].ID); err != nil && !errors.Is(err, engine.ErrNotFound) {
				return fmt.Errorf("container %s: %w", found[i].ID, err)
			}
		}
		if len(found) > 0 || !killed {
			return e.cleanUpID(ctx, id, err)
		}
		if pause(ctx, 200*time.Millisecond) != nil {
			return nil // it was never made, as far as anyone can tell
		}
	}
}

// cleanUpID removes a container that an option of the administrator kept from
// carrying our mark: the command printed its id, so it is ours.
func (e *Engine) cleanUpID(ctx context.Context, id string, err error) error {
	if len(id) != 64 || !validName(id) {
		if errors.Is(err, engine.ErrDown) {
			return nil // the engine that does not answer made nothing that we know of
		}
		return err
	}
	if err := e.Remove(ctx, id); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return fmt.Errorf("container %s: %w", id, err)
	}
	return nil
}
