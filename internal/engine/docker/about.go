package docker

import (
	"context"
	"strings"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// About asks the engine what it is; ErrDown.
func (e *Engine) About(ctx context.Context) (engine.About, error) {
	var out engine.About
	err := e.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
		v, err := cli.ServerVersion(ctx, client.ServerVersionOptions{})
		if err != nil {
			return err
		}
		info, err := cli.Info(ctx, client.InfoOptions{})
		if err != nil {
			return err
		}
		out = aboutOf(&v, &info.Info)
		return nil
	})
	return out, err
}

func aboutOf(v *client.ServerVersionResult, info *system.Info) engine.About {
	out := engine.About{Name: "Docker", Version: v.Version, Oldest: "20.10", OpenAddress: openAddress(info.Warnings)}
	for _, o := range info.SecurityOptions {
		out.Seccomp = out.Seccomp || strings.HasPrefix(o, "name=seccomp") && !strings.Contains(o, "profile=unconfined")
		out.UserNamespaces = out.UserNamespaces || o == "name=userns" || o == "name=rootless"
	}
	for _, c := range v.Components {
		switch {
		case c.Name == "runc" && strings.HasPrefix(info.DefaultRuntime, "runc"):
			out.Runc = c.Version
		case c.Name == "Podman Engine":
			out.Name, out.Oldest = "Podman", "4.3"
		case c.Name == "OCI Runtime (runc)":
			// As runc says it: "runc version 1.1.5", and more lines.
			if words := strings.Fields(c.Version); len(words) > 2 {
				out.Runc = words[2]
			}
		}
	}
	return out
}

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
