package docker

import (
	"context"
	"strings"

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
		out = engine.About{Version: v.Version, Security: info.Info.SecurityOptions, Warnings: info.Info.Warnings}
		for _, c := range v.Components {
			switch {
			case c.Name == "runc" && strings.HasPrefix(info.Info.DefaultRuntime, "runc"):
				out.Runc = c.Version
			case c.Name == "Podman Engine":
				out.Podman = true
			case c.Name == "OCI Runtime (runc)":
				// As runc says it: "runc version 1.1.5", and more lines.
				if words := strings.Fields(c.Version); len(words) > 2 {
					out.Runc = words[2]
				}
			}
		}
		return nil
	})
	return out, err
}
