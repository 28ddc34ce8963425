package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// Usage measures a container at once, without the second that the engine's own
// listing waits; ErrNotFound also when it does not run.
func (e *Engine) Usage(ctx context.Context, id string) (engine.Usage, error) {
	if err := checkName(id); err != nil {
		return engine.Usage{}, err
	}
	var s container.StatsResponse
	err := e.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ContainerStats(ctx, id, client.ContainerStatsOptions{})
		if err != nil {
			return notFound(err, engine.ErrNotFound)
		}
		defer r.Body.Close()
		return json.NewDecoder(r.Body).Decode(&s)
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
	// As docker stats counts: what the kernel gives back when it is asked is free.
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
