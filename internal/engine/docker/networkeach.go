package docker

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// makeNetworkOf makes the network of one container, unless it exists, in an engine that keeps
// networks apart. It speaks Podman's own API: by Docker's the network would have a name server
// on the host, which goes on with the name servers that the host had when it was started.
func (e *Engine) makeNetworkOf(ctx context.Context, name string) error {
	body, err := json.Marshal(map[string]any{
		"name":              name,
		"driver":            "bridge",
		"network_interface": engine.OwnBridges + strings.ToLower(rand.Text()[:7]), // at most 15 characters
		"options":           map[string]string{"isolate": "true"},
		"dns_enabled":       false,
		"labels":            ownNetwork.Labels,
	})
	if err != nil {
		return err
	}
	err = e.conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
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
	dial := cli.Dialer()
	h := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://podman.invalid"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	r, err := h.Do(req)
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

// removeNetworkOf removes a container's own network, unless a container has it. One that is
// left is used by the next container of the name, or removed by a prune.
func removeNetworkOf(ctx context.Context, cli *client.Client, name string) {
	_, _ = cli.NetworkRemove(ctx, name, client.NetworkRemoveOptions{})
}

// networkOf returns the container's own network; empty if it has none of its own.
func networkOf(d *dialect.Dialect, c *container.InspectResponse) string {
	name := d.OwnNetwork(strings.TrimPrefix(c.Name, "/"))
	if name == "" || c.HostConfig == nil || c.NetworkSettings == nil {
		return ""
	}
	if _, in := c.NetworkSettings.Networks[name]; in || c.HostConfig.NetworkMode == container.NetworkMode(name) {
		return name
	}
	return ""
}
