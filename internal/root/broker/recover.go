package broker

import (
	"context"
	"errors"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// recoverAfter are the pauses between looks for what a killed broker had asked an
// engine for: no request lasts longer than all of them.
var recoverAfter = [...]time.Duration{0, keepEvery, 10 * time.Second, 20 * time.Second, time.Minute}

// recover finds containers that were made to be removed and are in no directory
// of ours: the host was restarted, and /run with it. It asks until the engine
// answers, and once more later: the engine finishes what a broker had asked it for
// that was killed.
func (b *Broker) recover(ctx context.Context) {
	for _, after := range recoverAfter {
		pause(ctx, after)
		for ctx.Err() == nil && b.recoverOnce(ctx) != nil {
			pause(ctx, keepEvery)
		}
	}
}

func (b *Broker) recoverOnce(ctx context.Context) error {
	at, err := b.defaultEngine()
	if err != nil {
		return err
	}
	e, err := b.engines.get(at)
	if err != nil {
		return err
	}
	all, err := e.List(ctx, false)
	if err != nil {
		return err
	}
	for _, c := range all {
		if isProbe(c) {
			err = errors.Join(err, b.images.forget(ctx, e, c))
			continue
		}
		linger, ok := b.passing(c)
		if !ok {
			continue
		}
		if err := b.recoverOne(ctx, c.Name, rundir.Life{Engine: at, Ephemeral: true, Linger: linger}); err != nil {
			return err
		}
	}
	return err
}

func (b *Broker) recoverOne(ctx context.Context, container string, v rundir.Life) error {
	if _, err := b.lives.Get(container); err == nil {
		return nil
	}
	release, err := b.hold(ctx, rundir.Of(b.Run, container))
	if err != nil {
		return err
	}
	defer release()
	if _, err := b.lives.Get(container); err == nil {
		return nil
	}
	return b.lives.Set(container, v)
}

// defaultEngine is that of the [dockersh] section.
func (b *Broker) defaultEngine() (engine.Address, error) {
	file, err := b.settings.Load()
	if err != nil {
		return engine.Address{}, err
	}
	s, err := settings.Written(file, "", "")
	if err != nil {
		return engine.Address{}, err
	}
	return policy.EngineOf(s), nil
}
