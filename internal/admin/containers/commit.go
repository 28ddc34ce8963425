package containers

import (
	"context"
	"fmt"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/root/state"
)

// commitLimit is enough for a large container on a slow disk.
const commitLimit = 30 * time.Minute

// Commit is the command commit: it makes an image of a container.
func Commit(ctx context.Context, env cli.Env, args []string) error {
	words, err := cli.Options{}.Parse(args, 2, 2)
	if err != nil {
		return err
	}
	if err := cli.RequireRoot("commit"); err != nil {
		return err
	}
	image := words[1]
	all, err := selectContainers(ctx, env.Engines, &cli.Selection{Names: words[:1]})
	if err != nil {
		return err
	}
	if len(all) > 1 {
		return fmt.Errorf("%d engines have a container %s", len(all), all[0].Name)
	}
	return operation{name: "commit", doing: "writing the image", limit: commitLimit,
		do: func(ctx context.Context, c Container, d state.ContainerDir) (string, error) {
			found, err := c.current(ctx)
			if err != nil {
				return "", err
			}
			// The engine freezes the container meanwhile: logins wait for the lock instead of
			// for a frozen agent.
			id := ""
			err = whileShut(d, func() (err error) { id, err = c.engine.Commit(ctx, found.ID, image); return err })
			return image + " is " + id, err
		}}.doAll(ctx, env.Out, all)
}
