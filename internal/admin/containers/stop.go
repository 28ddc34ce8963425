package containers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/mounts"
	"github.com/dockersh/dockersh/internal/root/state"
)

// Stop is the command stop.
func Stop(ctx context.Context, env cli.Env, args []string) error {
	return operation{name: "stop", doing: "stopping", endsSessions: true, do: stopOne}.command(ctx, env, args)
}

var startOperation = operation{name: "start", doing: "starting", do: startOne}

// Start is the command start. For users it makes what is absent, too.
func Start(ctx context.Context, env cli.Env, args []string) error {
	if slices.ContainsFunc(args, func(word string) bool { return strings.HasPrefix(word, "--group") }) {
		group := ""
		if _, err := (cli.Options{"--group": &group}).Parse(args, 0, 0); err != nil || group == "" {
			return fmt.Errorf("%w: --group has the name of one group, and goes with nothing else", cli.ErrMisuse)
		}
		return startSeats(ctx, env, "", group)
	}
	var s cli.Selection
	if _, err := s.Parse(args, nil, 0); err == nil && s.User != "" {
		return startSeats(ctx, env, s.User, "")
	}
	return startOperation.command(ctx, env, args)
}

// Restart is the command restart.
func Restart(ctx context.Context, env cli.Env, args []string) error {
	return operation{name: "restart", doing: "restarting", endsSessions: true, do: restartOne}.command(ctx, env, args)
}

// whileShut runs do while no login can enter the container, whose lock is held.
func whileShut(d state.ContainerDir, do func() error) error {
	_, err := lifecycle.WhileVacant(d, func() bool { return false }, do)
	return errors.Join(err, d.Open())
}

func stopOne(ctx context.Context, c Container, d state.ContainerDir) (string, error) {
	found, err := c.current(ctx)
	if err != nil {
		return "", err
	}
	switch found.State {
	case engine.Created, engine.Exited, engine.Dead:
		return "not running", nil
	}
	if c.address.IsCluster() {
		return "stopped, and gone", c.endPod(ctx, found, d)
	}
	return "stopped", whileShut(d, func() error { return c.engine.Stop(ctx, found.ID, lifecycle.StopGrace) })
}

func startOne(ctx context.Context, c Container, d state.ContainerDir) (string, error) {
	found, err := c.current(ctx)
	if err != nil {
		return "", err
	}
	switch found.State {
	case engine.Running:
		return "running already", nil
	case engine.Created, engine.Dead:
		return "", usererr.New(usererr.Container, "it was never started, or the engine calls it dead",
			"to have the next login recreate it, run: dockershctl rm "+c.Name, nil)
	}
	if err := errors.Join(c.checkTwin(d), c.checkMounts(ctx, found, d)); err != nil {
		return "", err
	}
	if _, err := d.Made(); errors.Is(err, fs.ErrNotExist) { // since a boot: the directory that it mounts is to stay
		if err := d.SetMade(lifecycle.MadeFrom(found, c.address)); err != nil {
			return "", err
		}
	}
	if _, err = lifecycle.Start(ctx, c.engine, d, found); err != nil {
		return "", err
	}
	return "started", c.verifyMounts(ctx)
}

// verifyMounts stops a container of this host that was just started and in which a link,
// of its image or of a user, led a mount elsewhere.
func (c Container) verifyMounts(ctx context.Context) error {
	found, err := c.current(ctx)
	if err != nil || !c.address.Local() || found.State != engine.Running {
		return err
	}
	root, _, _, err := mounts.OpenRoot(found)
	if err != nil {
		return err
	}
	defer root.Close()
	own := []mounts.OwnFile{mounts.OwnInit(found, paths.Helpers())}
	misplaced, err := mounts.FindMisplaced(root, own, found.Mounts)
	if err == nil && misplaced != "" {
		err = errors.Join(mounts.ErrMisplaced(c.Name, misplaced), c.engine.Stop(ctx, found.ID, 0))
	}
	return err
}

func restartOne(ctx context.Context, c Container, d state.ContainerDir) (string, error) {
	found, err := c.current(ctx)
	if err == nil {
		err = errors.Join(c.checkTwin(d), c.checkMounts(ctx, found, d)) // before anybody loses a session
	}
	if err != nil {
		return "", err
	}
	if done, err := stopOne(ctx, c, d); err != nil || c.address.IsCluster() {
		return done, err
	}
	if _, err := startOne(ctx, c, d); err != nil {
		return "", fmt.Errorf("it is stopped: %w", err)
	}
	return "restarted", nil
}
