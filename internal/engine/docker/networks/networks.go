// Package networks has an engine make the networks that are dockersh's own: one for all containers,
// or one for each where an engine keeps only networks apart.
package networks

import (
	"context"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/host/wait"
)

// shared describes the one for all containers, in Docker. Traffic between them is off in it, and
// its bridge has a name that rules of a packet filter can name.
var shared = client.NetworkCreateOptions{
	Driver: "bridge",
	Options: map[string]string{
		"com.docker.network.bridge.enable_icc": "false",
		"com.docker.network.bridge.name":       engine.OwnBridges + "0",
	},
	// A prune that spares users' containers spares it too.
	Labels: map[string]string{engine.LabelOwner: "0"},
}

// Attach makes the container's own network, if a start failed with err for want of
// that, and attaches the container to it: asked only then, so that the usual start is one
// request. The network may never have been made, or be gone (`docker network prune` while no
// container ran), and another one have its name; Docker's containers remember their network by
// the id, Podman's by the name.
func Attach(ctx context.Context, conn *api.Conn, cli *client.Client, id string, err error) (attached bool, aerr error) {
	if err == nil || !strings.Contains(err.Error(), "network ") {
		return false, nil
	}
	r, ierr := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if ierr != nil {
		return false, nil
	}
	name := of(conn.Dialect(), &r.Container)
	switch {
	case name == "":
		return false, nil
	case conn.Dialect().OwnNetworks == dialect.OneForEach:
		return true, Make(ctx, conn, name)
	case !cerrdefs.IsNotFound(err):
		return false, nil
	}
	if err := makeShared(ctx, cli, name); err != nil {
		return true, err
	}
	if n := r.Container.NetworkSettings.Networks[name]; n == nil || n.NetworkID == "" {
		return true, nil
	}
	// The engine may find that the container is not attached.
	_, _ = cli.NetworkDisconnect(ctx, name, client.NetworkDisconnectOptions{Container: id, Force: true})
	_, err = cli.NetworkConnect(ctx, name, client.NetworkConnectOptions{Container: id})
	return true, err
}

// makeLimit is how long another call may take to make the network.
const makeLimit = 10 * time.Second

// makeShared makes the network, unless it exists. Of calls at the same time one makes it,
// since there is one interface of its name; the others are refused before the network is there.
func makeShared(ctx context.Context, cli *client.Client, name string) error {
	exists := func() error {
		_, err := cli.NetworkInspect(ctx, name, client.NetworkInspectOptions{})
		return err
	}
	if exists() == nil {
		return nil
	}
	_, err := cli.NetworkCreate(ctx, name, shared)
	if err == nil || !cerrdefs.IsConflict(err) && !strings.Contains(err.Error(), "same bridge name") {
		return err
	}
	for end := time.Now().Add(makeLimit); ; {
		missing := exists()
		if missing == nil {
			return nil
		}
		if !cerrdefs.IsNotFound(missing) || time.Now().After(end) || ctx.Err() != nil {
			return err
		}
		wait.Sleep(ctx, 50*time.Millisecond)
	}
}
