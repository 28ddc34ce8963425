// Package counters counts what the broker does. A login adds to a few numbers in memory: it
// waits for nothing, and nothing is written. The numbers begin at zero with each broker.
package counters

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// Counters are ready to use once Since is set.
type Counters struct {
	Since time.Time // when the counting began

	HostShells atomic.Uint64 // logins that were given the host
	Abandoned  atomic.Uint64 // logins whose front ended before it had its answer

	warm, cold times
	refused    [numCodes]atomic.Uint64
}

// numCodes is one more than the last code of usererr.
const numCodes = usererr.Busy + 1

// times are logins by how long they took.
type times struct {
	upTo [len(wire.LoginTimes) + 1]atomic.Uint64 // the last: longer than all bounds
	all  atomic.Uint64                           // nanoseconds
}

func (t *times) add(took time.Duration) {
	n := uint64(max(0, took))
	i, _ := slices.BinarySearch(wire.LoginTimes[:], n)
	t.upTo[i].Add(1)
	t.all.Add(n)
}

// AddLogin counts a login that has its session.
func (c *Counters) AddLogin(cold bool, took time.Duration) {
	if cold {
		c.cold.add(took)
		return
	}
	c.warm.add(took)
}

// AddRefusal counts a login that was refused.
func (c *Counters) AddRefusal(code usererr.Code) {
	if code >= numCodes {
		code = usererr.Internal
	}
	c.refused[code].Add(1)
}

// Message returns what was counted; what other packages know is missing.
func (c *Counters) Message() *wire.Counters {
	m := &wire.Counters{
		Since: uint64(c.Since.Unix()), HostShells: c.HostShells.Load(), Abandoned: c.Abandoned.Load(),
		Refused: load(c.refused[:]), Warm: load(c.warm.upTo[:]), WarmTime: c.warm.all.Load(),
		Cold: load(c.cold.upTo[:]), ColdTime: c.cold.all.Load(),
	}
	for _, n := range append(slices.Clone(m.Warm), m.Cold...) {
		m.Started += n
	}
	return m
}

func load(all []atomic.Uint64) (values []uint64) {
	for i := range all {
		values = append(values, all[i].Load())
	}
	return values
}
