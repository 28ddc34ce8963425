// Package presence is how a login host counts among those that share the containers of an engine
// (engine.Shared): it announces its sessions, and leaves alone what others are in.
package presence

import (
	"context"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// Careful returns an engine whose Remove returns engine.ErrInUse where sessions of other hosts than
// this one are in the container. An engine whose containers no hosts share is returned as it is.
func Careful(e engine.Engine, at engine.Address, host string) engine.Engine {
	shared, ok := e.(engine.Shared)
	if !ok || !at.IsCluster() {
		return e
	}
	return careful{e, shared, host}
}

type careful struct {
	engine.Engine
	engine.Shared
	host string
}

func (c careful) Remove(ctx context.Context, id string) error { return c.RemoveVacant(ctx, id, c.host) }

// announceLimit is how long an announcement may take that nobody waits for.
const announceLimit = 5 * time.Second

// Hold announces a session until end, again and again. What cannot be announced now and then counts
// nevertheless. The session counts for a while after end, unless it is withdrawn.
func Hold(e engine.Shared, p engine.Presence) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for each := time.NewTicker(engine.PresenceEach); ; {
			select {
			case <-each.C:
			case <-ctx.Done():
				each.Stop()
				return
			}
			limited, done := context.WithTimeout(ctx, announceLimit)
			_ = e.Announce(limited, p) // else the next time
			done()
		}
	})
	return func() { cancel(); all.Wait() }
}

// Withdraw ends what Hold did. Nobody waits for it long: what is not withdrawn stops counting.
func Withdraw(e engine.Shared, p engine.Presence) {
	ctx, cancel := context.WithTimeout(context.Background(), withdrawLimit)
	defer cancel()
	_ = e.Withdraw(ctx, p)
}

// withdrawLimit is how long a session that has ended may go on counting in vain.
const withdrawLimit = 2 * time.Second
