package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// commitLimit is for a large container on a slow disk.
const commitLimit = 30 * time.Minute

// Commit makes an image of a container's own file system, without what is mounted,
// and names it; processes are frozen meanwhile. The image has the process 1 and the
// user of the image that the container was made from, not those that dockersh chose,
// and dockersh's labels in it are empty: a container that somebody makes from it by
// hand is not dockersh's.
func (e *Engine) Commit(ctx context.Context, id, ref string) (imageID string, err error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if _, digest := named.(reference.Digested); err != nil || digest {
		return "", fmt.Errorf("%w: %q cannot be the name of one", engine.ErrNoImage, ref)
	}
	err = e.conn.CallFor(ctx, commitLimit, id, func(ctx context.Context, cli *client.Client) error {
		found, err := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err != nil {
			return err
		}
		var labels map[string]string
		if found.Container.Config != nil {
			labels = found.Container.Config.Labels
		}
		changes, err := undoOurs(ctx, cli, found.Container.Image, labels)
		if err != nil {
			return err
		}
		options := client.ContainerCommitOptions{Reference: reference.TagNameOnly(named).String(), Changes: changes}
		if e.conn.Dialect().CommitWantsBody {
			options.Config = new(container.Config)
		}
		made, err := cli.ContainerCommit(ctx, id, options)
		imageID = "sha256:" + strings.TrimPrefix(made.ID, "sha256:") // which Podman leaves out
		return err
	})
	return imageID, err
}

// undoOurs returns the changes, in the language of Dockerfiles, that take ours out
// of a container's configuration. An engine cannot remove a label, only empty it.
func undoOurs(ctx context.Context, cli *client.Client, imageID string, labels map[string]string) ([]string, error) {
	var entrypoint, command []string
	user := ""
	image, err := cli.ImageInspect(ctx, imageID)
	switch {
	case err == nil && image.Config != nil:
		entrypoint, command, user = image.Config.Entrypoint, image.Config.Cmd, image.Config.User
	case err != nil && !cerrdefs.IsNotFound(err):
		return nil, err
	}
	if user == "" {
		user = "0"
	}
	if len(entrypoint) == 0 {
		entrypoint = []string{""} // the engine's way to say none; without any it would keep ours
	}
	changes := []string{"ENTRYPOINT " + jsonList(entrypoint), "CMD " + jsonList(command), "USER " + user}
	for label := range labels {
		if strings.HasPrefix(label, "dockersh.") {
			changes = append(changes, "LABEL "+label+`=""`)
		}
	}
	slices.Sort(changes[3:])
	return changes, nil
}

func jsonList(words []string) string {
	b, _ := json.Marshal(append([]string{}, words...)) // never fails for strings
	return string(b)
}
