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
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// commitLimit is for a large container on a slow disk.
const commitLimit = 30 * time.Minute

// Commit makes an image of a container's own file system, what is mounted left
// out, and gives it a name; processes are frozen meanwhile. The image has the
// process 1 and the user of the image that the container was made from, not those
// that we gave it, and none of our labels says anything: what somebody makes of it
// by hand is not ours. ErrNotFound, ErrNoImage for a name that is none, ErrDown.
func (e *Engine) Commit(ctx context.Context, id, ref string) (imageID string, err error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if _, digest := named.(reference.Digested); err != nil || digest {
		return "", fmt.Errorf("%w: %q is no name for one", engine.ErrNoImage, ref)
	}
	if err := checkName(id); err != nil {
		return "", err
	}
	err = e.call(ctx, commitLimit, func(ctx context.Context, cli *client.Client) error {
		found, err := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err != nil {
			return notFound(err, engine.ErrNotFound)
		}
		var labels map[string]string
		if found.Container.Config != nil {
			labels = found.Container.Config.Labels
		}
		changes, err := restored(ctx, cli, found.Container.Image, labels)
		if err != nil {
			return err
		}
		made, err := cli.ContainerCommit(ctx, id, client.ContainerCommitOptions{Reference: reference.TagNameOnly(named).String(), Changes: changes})
		imageID = made.ID
		return notFound(err, engine.ErrNotFound)
	})
	return imageID, err
}

// restored are the changes, in the language of Dockerfiles, that take ours out of
// a container's configuration. An engine cannot take a label away, only empty it.
func restored(ctx context.Context, cli *client.Client, imageID string, labels map[string]string) ([]string, error) {
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
		entrypoint = []string{""} // the engine's word for none; without any it would keep ours
	}
	changes := []string{"ENTRYPOINT " + list(entrypoint), "CMD " + list(command), "USER " + user}
	for label := range labels {
		if strings.HasPrefix(label, "dockersh.") {
			changes = append(changes, "LABEL "+label+`=""`)
		}
	}
	slices.Sort(changes[3:])
	return changes, nil
}

func list(words []string) string {
	b, _ := json.Marshal(append([]string{}, words...)) // strings always can be
	return string(b)
}
