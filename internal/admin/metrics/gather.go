package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/containers"
	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/admin/sessions"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// limit is how long everything may take: what has not answered by then is left out. Prometheus
// waits ten seconds for a scrape.
const limit = 5 * time.Second

// figures are what is known of this host.
type figures struct {
	validSettings bool           // logins are not refused for the settings file
	counters      *wire.Counters // nil: the service does not answer
	sessions      sessions.Count // those of root brokers
	ofUsers       sessions.Count // those that users' own brokers report
	enginesKnown  bool
	engines, down int
	containers    map[engine.State]int
	recordings    []recorded
	pool          pool
}

// gather asks all sources at once.
func gather(ctx context.Context, env cli.Env) *figures {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	f := &figures{containers: map[engine.State]int{}}
	var all sync.WaitGroup
	all.Go(func() { f.counters, _ = readCounters(paths.Socket()) })
	all.Go(func() { f.sessions, f.ofUsers = sessions.CountLive(ctx) })
	all.Go(func() { f.countContainers(ctx, env.Engines) })
	all.Go(func() {
		f.pool = readPool(engine.OwnBridges + "0")
		file, err := installed.Settings()
		if f.validSettings = err == nil; f.validSettings {
			f.recordings = countRecordings(ctx, policy.Recordings(file))
		}
	})
	all.Wait()
	return f
}

// readCounters asks the service what it has counted.
func readCounters(socket string) (*wire.Counters, error) {
	fd, err := seqpacket.Connect(socket)
	if err != nil {
		return nil, err
	}
	c, err := channel.New(fd)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	c.Within(limit)
	if err := c.Send(&wire.ReadCounters{Version: wire.Version}); err != nil {
		return nil, err
	}
	m, fds, err := c.Recv()
	if err != nil {
		return nil, err
	}
	seqpacket.CloseAll(fds)
	switch m := m.(type) {
	case *wire.Counters:
		return m, nil
	case *wire.Error:
		return nil, m.UserError()
	}
	return nil, wire.ErrMessage
}

func (f *figures) countContainers(ctx context.Context, engines *engine.Clients) {
	inUse, err := containers.EnginesInUse()
	if err != nil {
		return
	}
	found, down, err := containers.List(ctx, engines, false)
	if err != nil {
		return
	}
	f.enginesKnown, f.engines, f.down = true, len(inUse), len(down)
	for _, c := range found {
		f.containers[c.State]++
	}
}
