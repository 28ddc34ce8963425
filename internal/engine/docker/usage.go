package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
)

// Usage measures a container at once, without the second that the engine's own
// listing waits. engine.ErrNotFound also when it does not run.
func (e *Engine) Usage(ctx context.Context, id string) (engine.Usage, error) {
	var s container.StatsResponse
	err := e.conn.CallFor(ctx, api.CallLimit, id, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ContainerStats(ctx, id, client.ContainerStatsOptions{})
		if err != nil {
			return err
		}
		defer r.Body.Close()
		err = json.NewDecoder(r.Body).Decode(&s)
		if errors.Is(err, io.EOF) {
			return nil // Podman's answer for a container that does not run
		}
		return err
	})
	if err != nil {
		return engine.Usage{}, err
	}
	return usageOf(&s)
}

func usageOf(s *container.StatsResponse) (engine.Usage, error) {
	if s.Read.IsZero() || s.CPUStats.CPUUsage.TotalUsage == 0 && s.MemoryStats.Usage == 0 {
		return engine.Usage{}, fmt.Errorf("%w: it does not run", engine.ErrNotFound)
	}
	u := engine.Usage{
		At: s.Read, CPU: time.Duration(s.CPUStats.CPUUsage.TotalUsage),
		Memory: int64(s.MemoryStats.Usage), Processes: int(s.PidsStats.Current),
	}
	// As docker stats counts: memory that the kernel frees on demand is not in use.
	for _, cached := range []string{"total_inactive_file", "inactive_file"} { // cgroup v1, v2
		if n, ok := s.MemoryStats.Stats[cached]; ok {
			if n := int64(n); n < u.Memory {
				u.Memory -= n
			}
			break
		}
	}
	return u, nil
}

// oomLag is how long the engine may take to learn that the kernel killed something.
const oomLag = 300 * time.Millisecond

// eventTime writes a time as the engine's listing of events takes it.
func eventTime(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }

// OutOfMemory asks for the engine's events. It remembers only the last of them.
func (e *Engine) OutOfMemory(ctx context.Context, id string, since time.Time) (bool, error) {
	found := false
	err := e.conn.CallFor(ctx, 5*time.Second, id, func(ctx context.Context, cli *client.Client) error {
		r := cli.Events(ctx, client.EventsListOptions{
			Since: eventTime(since), Until: eventTime(time.Now().Add(oomLag)),
			Filters: make(client.Filters).Add("container", id).Add("event", string(events.ActionOOM)),
		})
		for {
			select {
			case <-r.Messages:
				found = true
				return nil
			case err := <-r.Err:
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
		}
	})
	if err != nil {
		return false, fmt.Errorf("events of container %s: %w", id, err)
	}
	return found, nil
}
