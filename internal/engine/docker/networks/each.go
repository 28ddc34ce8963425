package networks

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// Make makes the network of one container, unless it exists, in an engine that keeps
// networks apart. It speaks Podman's own API: by Docker's the network would have a name server
// on the host, which goes on with the name servers that the host had when it was started.
func Make(ctx context.Context, conn *api.Conn, name string) error {
	body, err := json.Marshal(map[string]any{
		"name":              name,
		"driver":            "bridge",
		"network_interface": engine.OwnBridges + strings.ToLower(rand.Text()[:7]), // at most 15 characters
		"options":           map[string]string{"isolate": "true"},
		"dns_enabled":       false,
		"labels":            shared.Labels,
	})
	if err != nil {
		return err
	}
	err = conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		if _, missing := cli.NetworkInspect(ctx, name, client.NetworkInspectOptions{}); missing == nil {
			return nil
		}
		return askPodman(ctx, cli, "/v4.0.0/libpod/networks/create", body)
	})
	if err != nil {
		return fmt.Errorf("network %s: %w", name, err)
	}
	return nil
}

// askPodman sends a request of Podman's own API, of whose answer only an error counts. That what
// is to be made exists is none: Podman 4.3 shows no network while any container is being removed.
func askPodman(ctx context.Context, cli *client.Client, path string, body []byte) error {
	r, err := api.Do(ctx, cli, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(io.LimitReader(r.Body, 4096))
	if err != nil || r.StatusCode < 300 || r.StatusCode == http.StatusConflict {
		return err
	}
	return fmt.Errorf("%s: %s", r.Status, printable.Line(string(text)))
}

// RemoveOf removes the network that is a container's own, unless another container has it.
// One that is left is used by the next container of the name, or removed by a prune.
func RemoveOf(ctx context.Context, conn *api.Conn, cli *client.Client, c *container.InspectResponse) {
	if d := conn.Dialect(); d.OwnNetworks == dialect.OneForEach {
		Remove(ctx, cli, of(d, c))
	}
}

// Remove is RemoveOf for a container that was not made.
func Remove(ctx context.Context, cli *client.Client, name string) {
	if name == "" {
		return
	}
	_, _ = cli.NetworkRemove(ctx, name, client.NetworkRemoveOptions{})
}

// of returns the container's own network; empty if it has none of its own.
func of(d *dialect.Dialect, c *container.InspectResponse) string {
	name := d.OwnNetwork(strings.TrimPrefix(c.Name, "/"))
	if name == "" || c.HostConfig == nil || c.NetworkSettings == nil {
		return ""
	}
	if _, in := c.NetworkSettings.Networks[name]; in || c.HostConfig.NetworkMode == container.NetworkMode(name) {
		return name
	}
	return ""
}
