package docker

import (
	"context"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
)

// ownNetwork describes dockersh's own network. Traffic between containers is off in it, and
// its bridge has a name that rules of a packet filter can name.
var ownNetwork = client.NetworkCreateOptions{
	Driver: "bridge",
	Options: map[string]string{
		"com.docker.network.bridge.enable_icc": "false",
		"com.docker.network.bridge.name":       engine.OwnBridge,
	},
	// A prune that spares users' containers spares it too.
	Labels: map[string]string{engine.LabelOwner: "0"},
}

// attachOwnNetwork makes dockersh's own network, if a start failed with err for want of that,
// and attaches the container to it: asked only then, so that the usual start is one request.
// The network may never have been made, or be gone (`docker network prune` while no container
// ran), and another one have its name; a container remembers its network by the id.
func attachOwnNetwork(ctx context.Context, cli *client.Client, id string, err error) (attached bool, aerr error) {
	if !cerrdefs.IsNotFound(err) || !strings.Contains(err.Error(), "network ") {
		return false, nil
	}
	r, ierr := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if ierr != nil || !usesOwnNetwork(&r.Container) {
		return false, nil
	}
	if err := makeOwnNetwork(ctx, cli); err != nil {
		return true, err
	}
	if e := r.Container.NetworkSettings.Networks[dialect.OwnNetwork]; e == nil || e.NetworkID == "" {
		return true, nil
	}
	// It may say that the container is not attached.
	_, _ = cli.NetworkDisconnect(ctx, dialect.OwnNetwork, client.NetworkDisconnectOptions{Container: id, Force: true})
	_, err = cli.NetworkConnect(ctx, dialect.OwnNetwork, client.NetworkConnectOptions{Container: id})
	return true, err
}

// makeLimit is how long another call may take to make the network.
const makeLimit = 10 * time.Second

// makeOwnNetwork makes the network, unless it exists. Of calls at the same time one makes it,
// since there is one interface of its name; the others are refused before the network is there.
func makeOwnNetwork(ctx context.Context, cli *client.Client) error {
	exists := func() error {
		_, err := cli.NetworkInspect(ctx, dialect.OwnNetwork, client.NetworkInspectOptions{})
		return err
	}
	if exists() == nil {
		return nil
	}
	_, err := cli.NetworkCreate(ctx, dialect.OwnNetwork, ownNetwork)
	if err == nil || !cerrdefs.IsConflict(err) && !strings.Contains(err.Error(), "same bridge name") {
		return err
	}
	for end := time.Now().Add(makeLimit); ; {
		missing := exists()
		if missing == nil {
			return nil
		}
		if !cerrdefs.IsNotFound(missing) || time.Now().After(end) || sleep(ctx, 50*time.Millisecond) != nil {
			return err
		}
	}
}

func usesOwnNetwork(c *container.InspectResponse) bool {
	return c.HostConfig != nil && c.HostConfig.NetworkMode == dialect.OwnNetwork && c.NetworkSettings != nil
}
