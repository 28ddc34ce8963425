// Package layers makes images of what is in containers: for an administrator, and for a
// container that takes another one's place (engine.Layers).
package layers

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
)

// maxLayers is how many layers an image may have that one is added to. Docker takes 127, and
// reads files through all of them.
const maxLayers = 40

// Carry makes an image without a name of a container's own file system, for mark.
func Carry(ctx context.Context, conn *api.Conn, id, mark string) (imageID string, err error) {
	err = conn.CallFor(ctx, commitLimit, id, func(ctx context.Context, cli *client.Client) error {
		found, err := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err != nil {
			return err
		}
		from, err := cli.ImageInspect(ctx, found.Container.Image)
		if err != nil {
			return err
		}
		env, err := baseEnv(&from.InspectResponse)
		if err != nil {
			return err
		}
		changes, err := changesFor(ctx, cli, id)
		if err != nil {
			return err
		}
		changes = append(changes, "LABEL "+engine.LabelLayer+"="+mark, "LABEL "+engine.LabelImageEnv+"="+encode(env))
		if len(from.RootFS.Layers) < maxLayers {
			imageID, err = commit(ctx, conn, cli, id, "", changes)
		} else {
			imageID, err = flatten(ctx, cli, id, changes)
		}
		return err
	})
	return imageID, err
}

// imageHash is in what an engine answers when it has made an image.
var imageHash = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// maxAnswer is how much an engine may answer when it has made an image, in bytes.
const maxAnswer = 1 << 20

// flatten makes an image with a single layer.
func flatten(ctx context.Context, cli *client.Client, id string, changes []string) (imageID string, err error) {
	out, err := cli.ContainerExport(ctx, id, client.ContainerExportOptions{})
	if err != nil {
		return "", err
	}
	defer out.Close()
	in, err := cli.ImageImport(ctx, client.ImageImportSource{Source: out, SourceName: "-"}, "", client.ImageImportOptions{Changes: changes})
	if err != nil {
		return "", err
	}
	defer in.Close()
	answer, err := io.ReadAll(io.LimitReader(in, maxAnswer))
	if err != nil {
		return "", err
	}
	hashes := imageHash.FindAllString(string(answer), -1)
	if len(hashes) == 0 {
		return "", api.OneLine(errors.New("no image was made: " + string(answer)))
	}
	return withAlgorithm(hashes[len(hashes)-1]), nil
}

// baseEnv returns the environment of the image that the first container was made from.
func baseEnv(from *image.InspectResponse) (env []string, err error) {
	if from.Config == nil {
		return nil, nil
	}
	text := from.Config.Labels[engine.LabelImageEnv]
	if from.Config.Labels[engine.LabelLayer] == "" || text == "" {
		return from.Config.Env, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &env)
	}
	return env, err
}

// encode writes an environment so that it means the same in the language of Dockerfiles.
func encode(env []string) string {
	b, _ := json.Marshal(append([]string{}, env...)) // never fails for strings
	return base64.RawURLEncoding.EncodeToString(b)
}

// Env returns what a container made from an image of Carry must be given, and what must be taken
// from it, to have the environment of the first container's image: the image has that of the
// container before.
func Env(ctx context.Context, conn *api.Conn, imageID string) (set, unset []string, err error) {
	err = conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ImageInspect(ctx, imageID)
		if err != nil {
			return api.NotFound(err, engine.ErrNoImage)
		}
		base, err := baseEnv(&r.InspectResponse)
		if err != nil || r.Config == nil {
			return err
		}
		for _, e := range base {
			if !slices.Contains(r.Config.Env, e) {
				set = append(set, e)
			}
		}
		for _, e := range r.Config.Env {
			name, _, _ := strings.Cut(e, "=")
			if !slices.ContainsFunc(base, func(e string) bool { return strings.HasPrefix(e, name+"=") }) {
				unset = append(unset, name)
			}
		}
		return nil
	})
	return set, unset, err
}

// Room returns how many bytes a container has in its own layer, and how many are free.
func Room(ctx context.Context, conn *api.Conn, id string) (size, free int64, err error) {
	err = conn.CallFor(ctx, commitLimit, id, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{Size: true})
		if err != nil {
			return err
		}
		if r.Container.SizeRw == nil {
			return errors.New("the engine does not report how large the container is")
		}
		size = *r.Container.SizeRw
		from, err := cli.ImageInspect(ctx, r.Container.Image)
		if err == nil && len(from.RootFS.Layers) >= maxLayers {
			size += from.Size
		}
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	roots, err := dataRoots(ctx, conn)
	if err != nil {
		return 0, 0, err
	}
	free = -1
	for _, dir := range roots {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil {
			return 0, 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
		}
		if n := int64(st.Bavail) * st.Bsize; free < 0 || n < free {
			free = n
		}
	}
	return size, free, nil
}

// Sync writes what the engine has not yet written to its disk.
func Sync(ctx context.Context, conn *api.Conn) error {
	roots, err := dataRoots(ctx, conn)
	if err != nil {
		return err
	}
	for _, dir := range roots {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		err = unix.Syncfs(int(f.Fd()))
		_ = f.Close()
		if err != nil {
			return &os.PathError{Op: "syncfs", Path: dir, Err: err}
		}
	}
	return nil
}

// containerd is where the host's containerd keeps layers.
const containerd = "/var/lib/containerd"

// dataRoots returns the directories of this host in which an engine keeps layers.
func dataRoots(ctx context.Context, conn *api.Conn) (dirs []string, err error) {
	if conn.Transport.Socket == "" {
		return nil, errors.New("the engine is on another host")
	}
	err = conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.Info(ctx, client.InfoOptions{})
		if err != nil {
			return err
		}
		dirs = []string{r.Info.DockerRootDir}
		for _, s := range r.Info.DriverStatus {
			if s[0] == "driver-type" && strings.HasPrefix(s[1], "io.containerd.snapshotter") {
				// A containerd that Docker has started itself keeps them below Docker's directory.
				if _, err := os.Stat(containerd); !os.IsNotExist(err) {
					dirs = append(dirs, containerd)
				}
			}
		}
		return nil
	})
	if err == nil && slices.Contains(dirs, "") {
		err = errors.New("the engine does not report where it keeps layers")
	}
	return dirs, err
}

// Remove removes the images of a mark that nobody uses or has given a name to.
func Remove(ctx context.Context, conn *api.Conn, mark string) error {
	return conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		var failed []error
		all, err := list(ctx, cli, engine.LabelLayer+"="+mark, true)
		for _, i := range all {
			if isNamed(i) {
				continue
			}
			_, err := cli.ImageRemove(ctx, i.ID, client.ImageRemoveOptions{PruneChildren: true})
			if err != nil && !cerrdefs.IsConflict(err) && !cerrdefs.IsNotFound(err) {
				failed = append(failed, fmt.Errorf("image %s: %w", i.ID, err))
			}
		}
		return errors.Join(append(failed, err)...)
	})
}

// Marks returns the marks of images of Carry that no container has.
func Marks(ctx context.Context, conn *api.Conn) (marks []string, err error) {
	err = conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		all, err := list(ctx, cli, engine.LabelLayer, false)
		if err != nil {
			return err
		}
		filter := make(client.Filters).Add("label", engine.LabelFrom)
		have, err := cli.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
		for _, i := range all {
			id := withAlgorithm(i.ID)
			used := slices.ContainsFunc(have.Items, func(c container.Summary) bool { return withAlgorithm(c.ImageID) == id })
			if mark := i.Labels[engine.LabelLayer]; mark != "" && !used && !isNamed(i) && !slices.Contains(marks, mark) {
				marks = append(marks, mark)
			}
		}
		return err
	})
	return marks, err
}

// list returns the images with a label, between ones too: those that others are made from.
func list(ctx context.Context, cli *client.Client, label string, between bool) ([]image.Summary, error) {
	r, err := cli.ImageList(ctx, client.ImageListOptions{All: between, Filters: make(client.Filters).Add("label", label)})
	return r.Items, err
}

// isNamed reports whether an image has a name: then somebody gave it that.
func isNamed(i image.Summary) bool {
	return slices.ContainsFunc(i.RepoTags, func(tag string) bool { return tag != "<none>:<none>" })
}
