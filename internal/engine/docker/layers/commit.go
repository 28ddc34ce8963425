package layers

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
)

// commitLimit is for a large container on a slow disk.
const commitLimit = 30 * time.Minute

// Commit makes an image of a container's own file system, without what is mounted,
// and names it; processes are frozen meanwhile. The image has the process 1 and the
// user of the image that the container was made from, not those that dockersh chose,
// and dockersh's labels in it are empty: a container that somebody makes from it by
// hand is not dockersh's.
func Commit(ctx context.Context, conn *api.Conn, id, ref string) (imageID string, err error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if _, digest := named.(reference.Digested); err != nil || digest {
		return "", fmt.Errorf("%w: %q cannot be the name of one", engine.ErrNoImage, ref)
	}
	err = conn.CallFor(ctx, commitLimit, id, func(ctx context.Context, cli *client.Client) error {
		changes, err := changesFor(ctx, cli, id)
		if err == nil {
			imageID, err = commit(ctx, conn, cli, id, reference.TagNameOnly(named).String(), changes)
		}
		return err
	})
	return imageID, err
}

// commit makes the image; ref may be empty.
func commit(ctx context.Context, conn *api.Conn, cli *client.Client, id, ref string, changes []string) (imageID string, err error) {
	options := client.ContainerCommitOptions{Reference: ref, Changes: changes}
	if conn.Dialect().CommitWantsBody {
		options.Config = new(container.Config)
	}
	made, err := cli.ContainerCommit(ctx, id, options)
	return withAlgorithm(made.ID), err
}

// withAlgorithm returns the id of an image as others write it: Podman leaves that out.
func withAlgorithm(id string) string { return "sha256:" + strings.TrimPrefix(id, "sha256:") }

// changesFor returns the changes that take ours out of a container's configuration.
func changesFor(ctx context.Context, cli *client.Client, id string) ([]string, error) {
	found, err := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, err
	}
	var labels map[string]string
	if found.Container.Config != nil {
		labels = found.Container.Config.Labels
	}
	image, err := cli.ImageInspect(ctx, found.Container.Image)
	switch {
	case err == nil && image.Config != nil:
		return undoOurs(image.Config.Entrypoint, image.Config.Cmd, image.Config.User, labels)
	case err != nil && !cerrdefs.IsNotFound(err):
		return nil, err
	}
	return undoOurs(nil, nil, "", labels)
}

// undoOurs returns the changes, in the language of Dockerfiles, that take ours out of a
// container's configuration and restore its image's. An engine cannot remove a label, only empty
// it.
func undoOurs(entrypoint, command []string, user string, labels map[string]string) ([]string, error) {
	if len(entrypoint) == 0 {
		entrypoint = []string{""} // the engine's way to write none; without any it would keep ours
	}
	user = cmp.Or(user, "0")
	if !isWord(user) {
		return nil, fmt.Errorf("no image is made: the one of the container has the user %q", user)
	}
	changes := []string{"ENTRYPOINT " + jsonList(entrypoint), "CMD " + jsonList(command), "USER " + user}
	for label := range labels {
		if !strings.HasPrefix(label, "dockersh.") {
			continue
		}
		if !isWord(label) {
			return nil, fmt.Errorf("no image is made: the one of the container has the label %q", label)
		}
		changes = append(changes, "LABEL "+label+`=""`)
	}
	slices.Sort(changes[3:])
	return changes, nil
}

// isWord reports whether a text of an image is one word in the language of Dockerfiles, and
// means itself.
func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r) || strings.ContainsRune(" \"'\\`$=", r)
	})
}

func jsonList(words []string) string {
	b, _ := json.Marshal(append([]string{}, words...)) // never fails for strings
	return string(b)
}
