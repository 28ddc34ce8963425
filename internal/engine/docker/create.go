package docker

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/engine/docker/networks"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// cleanLimit is the longest that Create looks for, and removes, what a failed
// command made.
const cleanLimit = 5 * time.Second

// Program implements engine.Engine.
func (e *Engine) Program() string { return e.conn.Dialect().Program }

// Command is the command line that Create runs.
func (e *Engine) Command(s engine.Spec) []string { return e.conn.Dialect().Command(s) }

// Create makes the container with the engine's own command line and returns
// what the engine made of it. It then compares what was made with what was asked for:
// an option can swallow the words after it (--init takes no value: `--init foo` makes
// foo the image). Nothing is left of a container that is not as asked for, nor after
// any error; when the context ends in the middle this may take dialect.FinishLimit
// and cleanLimit longer.
func (e *Engine) Create(ctx context.Context, s engine.Spec) (*engine.Container, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	inner, cancel := context.WithTimeout(ctx, api.CallLimit)
	defer cancel()
	d, err := e.conn.SettledDialect(inner)
	if err != nil {
		return nil, err
	}
	if err := d.Check(s); err != nil {
		return nil, err
	}
	if err := e.setImageEnv(inner, &s); err != nil {
		return nil, err
	}
	ownNetwork := s.OwnNetwork && d.OwnNetworks == dialect.OneForEach
	if ownNetwork {
		if err := networks.Make(inner, e.conn, d.OwnNetwork(s.Name)); err != nil {
			return nil, dialect.Refusal(e.Program(), err)
		}
	}
	c := creation{engine: e, spec: s, mark: rand.Text()}
	out, err := d.Create(inner, e.conn.Transport, c.mark, s)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		if freed, left := d.RemoveLeftover(inner, e.conn.Transport, s); freed {
			out, err = d.Create(inner, e.conn.Transport, c.mark, s)
		} else if errors.Is(left, engine.ErrLeftover) {
			err = left
		}
	}
	c.id = strings.TrimSpace(out.Stdout)
	var made *engine.Container
	if err == nil {
		made, err = c.verify(inner)
	} else {
		err = c.explain(ctx, err, printable.Line(out.Stderr))
	}
	if err == nil {
		return made, nil
	}
	err = dialect.Refusal(e.Program(), err)
	if left := c.cleanUp(ctx, out.Killed); left != nil {
		err = fmt.Errorf("%w; and it could not be removed: %w", err, left)
	}
	if ownNetwork {
		_ = e.conn.Call(context.WithoutCancel(ctx), cleanLimit, func(ctx context.Context, cli *client.Client) error {
			networks.Remove(ctx, cli, d.OwnNetwork(s.Name))
			return nil
		})
	}
	return nil, err
}

// creation is one call of Create.
type creation struct {
	engine *Engine
	spec   engine.Spec
	mark   string // value of engine.LabelCreate
	id     string // as the command printed it
}

// verify compares the new container with its description, and returns it.
func (c *creation) verify(ctx context.Context) (*engine.Container, error) {
	if !dialect.ValidID(c.id) {
		// `--help` among the options, for one, succeeds and makes nothing.
		return nil, fmt.Errorf("%w: it made no container: %s", engine.ErrOption, printable.Line(c.id))
	}
	r, err := c.engine.conn.Inspect(ctx, c.id)
	if err != nil {
		return nil, err
	}
	asked := cmp.Or(c.spec.Layer, c.spec.Image)
	if want := cmp.Or(c.spec.Layer, c.spec.ImageID); want != "" && r.Image != want {
		return nil, fmt.Errorf("%s now names another image than %s", asked, want)
	}
	image := r.Config.Image
	if c.engine.conn.Dialect().FullImageNames {
		id, err := c.engine.ImageID(ctx, asked)
		if err != nil {
			return nil, err
		}
		if id == r.Image {
			image = asked
		}
	}
	if what := c.difference(r, image); what != "" {
		return nil, fmt.Errorf("%w: the %s is not as asked for; check that each option has its value", engine.ErrOption, what)
	}
	return c.engine.fromInspect(r), nil
}

// difference names the first thing of the container that is not as described.
func (c *creation) difference(r *container.InspectResponse, image string) string {
	s := c.spec
	switch {
	case r.Name != "/"+s.Name:
		return "name"
	case image != cmp.Or(s.Layer, s.Image):
		return "image"
	case r.Config.Labels[engine.LabelCreate] != c.mark:
		return "label " + engine.LabelCreate
	case !s.UserFirst && r.Config.User != dialect.User(s.UID, s.GID):
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

// explain turns a failed create command into an error of package engine. It asks
// the engine instead of reading the command's prose, which changes between
// releases.
func (c *creation) explain(ctx context.Context, err error, stderr string) error {
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, engine.ErrLeftover):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: the create command did not end within %v", engine.ErrDown, api.CallLimit)
	case !errors.As(err, &exit):
		return fmt.Errorf("the create command: %w", api.OneLine(err))
	}
	_, imageErr := c.engine.ImageID(ctx, cmp.Or(c.spec.Layer, c.spec.Image))
	if err := imageErr; errors.Is(err, engine.ErrNoImage) || errors.Is(err, engine.ErrDown) {
		return err
	}
	if _, err := c.engine.Find(ctx, c.spec.Name); err == nil {
		return fmt.Errorf("%w: %s", engine.ErrNameTaken, stderr)
	}
	if !exit.Exited() || strings.Contains(stderr, "no space left on device") {
		return fmt.Errorf("the create command: %w: %s", err, stderr)
	}
	return fmt.Errorf("%w: %s", engine.ErrOption, stderr)
}

// cleanUp removes what a failed Create made. After a killed command it looks
// for a while, because the engine finishes what it was asked for.
func (c *creation) cleanUp(ctx context.Context, killed bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanLimit)
	defer cancel()
	for {
		found, err := c.engine.list(ctx, engine.LabelCreate+"="+c.mark, false)
		for i := range found {
			if err := c.remove(ctx, found[i].ID); err != nil {
				return err
			}
		}
		if len(found) == 0 && killed {
			wait.Sleep(ctx, 200*time.Millisecond)
			if ctx.Err() != nil {
				return nil // it was never made, as far as anyone can tell
			}
			continue
		}
		// An option of the administrator may keep the container from carrying our mark:
		// the command printed its id, so it is ours.
		if dialect.ValidID(c.id) {
			return c.remove(ctx, c.id)
		}
		if errors.Is(err, engine.ErrDown) {
			return nil // an engine that does not answer made nothing that we know of
		}
		return err
	}
}

func (c *creation) remove(ctx context.Context, id string) error {
	if err := c.engine.Remove(ctx, id); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return fmt.Errorf("container %s: %w", id, err)
	}
	return nil
}
