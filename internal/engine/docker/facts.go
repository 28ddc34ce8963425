package docker

import (
	"context"
	"errors"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// About returns what the engine reports of itself.
func (e *Engine) About(ctx context.Context) (engine.About, error) {
	var out engine.About
	err := e.conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		v, err := cli.ServerVersion(ctx, client.ServerVersionOptions{})
		if err != nil {
			return err
		}
		info, err := cli.Info(ctx, client.InfoOptions{})
		if err != nil {
			return err
		}
		d := e.conn.Dialect()
		out = engine.About{
			Name: d.Name, Version: v.Version, Oldest: d.Oldest, Runc: runcOf(&v, &info.Info),
			Seccomp: seccomp(info.Info.SecurityOptions), UserNamespaces: userNamespaces(info.Info.SecurityOptions),
			LiveRestore: d.NoDaemon || info.Info.LiveRestoreEnabled, OpenAddress: openAddress(info.Info.Warnings),
		}
		rootless := d == &dialect.RootlessPodman || slices.Contains(info.Info.SecurityOptions, rootlessOption)
		if rootless && e.conn.Transport.Socket != "" {
			out.RootlessUID, err = api.Listener(ctx, cli)
		}
		return err
	})
	return out, err
}

// runcOf returns the version of runc; empty when another runtime is the default.
func runcOf(v *client.ServerVersionResult, info *system.Info) string {
	for _, c := range v.Components {
		switch {
		case c.Name == "runc" && strings.HasPrefix(info.DefaultRuntime, "runc"):
			return c.Version
		case c.Name == "OCI Runtime (runc)":
			// As runc prints it: "runc version 1.1.5", and more lines.
			if words := strings.Fields(c.Version); len(words) > 2 {
				return words[2]
			}
		}
	}
	return ""
}

func seccomp(options []string) bool {
	return slices.ContainsFunc(options, func(o string) bool {
		return strings.HasPrefix(o, "name=seccomp") && !strings.Contains(o, "profile=unconfined")
	})
}

func userNamespaces(options []string) bool {
	return slices.Contains(options, remapped) || slices.Contains(options, rootlessOption)
}

// rootlessOption is the security option of a Docker that is a user's own.
const rootlessOption = "name=rootless"

// remapped is the security option of an engine with --userns-remap.
const remapped = "name=userns"

// openAddress finds in the engine's warnings where it listens without asking for a
// certificate: "WARNING: API is accessible on http://127.0.0.1:2375 without encryption."
func openAddress(warnings []string) string {
	for _, w := range warnings {
		if _, at, ok := strings.Cut(w, "API is accessible on "); ok {
			at, _, _ = strings.Cut(at, " ")
			return at
		}
	}
	return ""
}

// Remap asks the engine whether it was started with --userns-remap. Such an engine
// keeps its state in a directory that is named for the mapping:
// /var/lib/docker/231072.231072.
func (e *Engine) Remap(ctx context.Context) (engine.Remap, error) {
	var options []string
	var root string
	err := e.conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.Info(ctx, client.InfoOptions{})
		options, root = r.Info.SecurityOptions, r.Info.DockerRootDir
		return err
	})
	if err != nil || !slices.Contains(options, remapped) {
		return engine.Remap{}, err
	}
	us, gs, ok := strings.Cut(path.Base(root), ".")
	uid, err := strconv.ParseUint(us, 10, 32)
	gid, err2 := strconv.ParseUint(gs, 10, 32)
	if !ok || err != nil || err2 != nil {
		return engine.Remap{}, errors.New("the engine remaps users, and the name of its directory " + printable.Line(root) +
			" does not say to which numbers")
	}
	return engine.Remap{
		On: true, UID: uint32(uid), GID: uint32(gid),
		UIDs: rangeLength("/etc/subuid", uid), GIDs: rangeLength("/etc/subgid", gid),
	}, nil
}

// rangeLength returns the length of the range in a file of subuid(5) that begins
// with first; 0 when there is none.
func rangeLength(file string, first uint64) uint32 {
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
