package docker

import (
	"context"
	"errors"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// Remap asks the engine whether it was started with --userns-remap. It keeps
// what it has for each mapping apart, in a directory that is called by it:
// /var/lib/docker/231072.231072. ErrDown.
func (e *Engine) Remap(ctx context.Context) (engine.Remap, error) {
	var options []string
	var root string
	err := e.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.Info(ctx, client.InfoOptions{})
		options, root = r.Info.SecurityOptions, r.Info.DockerRootDir
		return err
	})
	if err != nil || !slices.Contains(options, "name=userns") {
		return engine.Remap{}, err
	}
	us, gs, ok := strings.Cut(path.Base(root), ".")
	uid, err := strconv.ParseUint(us, 10, 32)
	gid, err2 := strconv.ParseUint(gs, 10, 32)
	if !ok || err != nil || err2 != nil {
		return engine.Remap{}, errors.New("the engine remaps users, and its directory " + printable.Line(root) + " does not tell to what")
	}
	return engine.Remap{
		On: true, UID: uint32(uid), GID: uint32(gid),
		UIDs: count("/etc/subuid", uid), GIDs: count("/etc/subgid", gid),
	}, nil
}

// count reads in a file of subuid(5) how long the range is that begins with
// first; 0 when it has none.
func count(file string, first uint64) uint32 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0 // the engine got it from elsewhere
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) != 3 || f[1] != strconv.FormatUint(first, 10) {
			continue
		}
		if n, err := strconv.ParseUint(f[2], 10, 32); err == nil {
			return uint32(n)
		}
	}
	return 0
}
