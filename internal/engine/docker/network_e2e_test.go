//go:build e2e

package docker

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
)

func ask(t *testing.T, e *Engine, f func(ctx context.Context, cli *client.Client) error) {
	t.Helper()
	if err := e.conn.Call(t.Context(), api.CallLimit, f); err != nil {
		t.Error(err)
	}
}

// removeOwnNetwork removes the network, as a prune does while no container runs.
func removeOwnNetwork(t *testing.T, e *Engine) {
	t.Helper()
	ask(t, e, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.NetworkRemove(ctx, dialect.Docker.OwnNetwork(""), client.NetworkRemoveOptions{})
		return err
	})
}

func TestOwnNetworkIsMadeWhenAContainerIsStarted(t *testing.T) {
	e, s := testEngine(t), spec(t)
	s.Network, s.OwnNetwork = "", true
	var ids []string
	for _, suffix := range []string{"-a", "-b", "-c"} {
		one := s
		one.Name += suffix
		ids = append(ids, made(t, e, one))
	}
	var starts sync.WaitGroup
	for _, id := range ids {
		starts.Go(func() {
			if err := e.Start(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
	}
	starts.Wait()
	ask(t, e, func(ctx context.Context, cli *client.Client) error {
		n, err := cli.NetworkInspect(ctx, dialect.Docker.OwnNetwork(""), client.NetworkInspectOptions{})
		if err != nil {
			return err
		}
		if o := n.Network.Options; o["com.docker.network.bridge.enable_icc"] != "false" || o["com.docker.network.bridge.name"] != engine.OwnBridges+"0" {
			t.Errorf("options %v", o)
		}
		for _, id := range ids {
			if _, in := n.Network.Containers[id]; !in {
				t.Errorf("container %s is not in it", id)
			}
		}
		return nil
	})
	for _, id := range ids {
		if err := e.Stop(t.Context(), id, 0); err != nil {
			t.Error(err)
		}
	}
	removeOwnNetwork(t, e)
	for _, id := range ids {
		if err := e.Start(t.Context(), id); err != nil {
			t.Error(err)
		}
		if got := inside(t, e, id, "busybox ip route"); !strings.Contains(got, "default via") {
			t.Errorf("after the network was removed: %q", got)
		}
	}
	for _, id := range slices.Backward(ids) {
		if err := e.Remove(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	removeOwnNetwork(t, e)
}

func TestMissingNetworkOfTheSettingsIsNotMade(t *testing.T) {
	e, s := testEngine(t), spec(t)
	s.Network = own + "-absent"
	id := made(t, e, s)
	if err := e.Start(t.Context(), id); err == nil || !strings.Contains(err.Error(), s.Network+" not found") {
		t.Errorf("got %v", err)
	}
}
