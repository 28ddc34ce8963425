package broker

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// countRefusal counts a refused login. One whose front has ended was not refused.
func (b *Broker) countRefusal(err error) {
	if errors.Is(err, errFrontGone) || errors.Is(err, context.Canceled) || channel.IsGone(err) {
		b.counters.Abandoned.Add(1)
		return
	}
	b.counters.AddRefusal(usererr.For(err).Code)
}

// answerCounters answers root, who asks what was counted.
func (b *Broker) answerCounters(f *front, m wire.Message) error {
	if err := checkVersion(m.(*wire.ReadCounters).Version); err != nil {
		return err
	}
	answer := b.counters.Message()
	calls := b.engines.Counts()
	answer.EngineCalls, answer.EngineFails = calls.Calls, calls.Failed
	taken, waiting := b.bringup.Queue()
	answer.Slots, answer.SlotsInUse, answer.Queue = engine.AtOnce, uint32(taken), uint32(waiting)
	return f.Send(answer)
}
