package broker

import (
	"context"
	"errors"
	"sync"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// engines keeps one client for each engine that the settings name.
type engines struct {
	open func(engine.Address) (engine.Engine, error) // nil: see Config
	mu   sync.Mutex
	all  map[engine.Address]engine.Engine
}

func (e *engines) get(at engine.Address) (engine.Engine, error) {
	if e.open == nil {
		return nil, ErrHandOver
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if known, ok := e.all[at]; ok {
		return known, nil
	}
	made, err := e.open(at)
	if err != nil {
		return nil, err
	}
	if e.all == nil {
		e.all = map[engine.Address]engine.Engine{}
	}
	e.all[at] = made
	return made, nil
}

// engineTrouble puts an engine's error into words for the user; the engine's own
// words, which may tell of the host, stay in the log.
func engineTrouble(err error) error {
	var told *usererr.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &told), errors.Is(err, ErrHandOver):
		return err
	case errors.Is(err, engine.ErrDown):
		return usererr.New(usererr.Unavailable, "the container engine does not answer", "try again, or ask the administrator", err)
	case errors.Is(err, engine.ErrDenied):
		return usererr.New(usererr.Unavailable, "no dockersh service runs, and you may not use the container engine yourself", "ask the administrator to start dockershd", err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return tookTooLong(err)
	case errors.Is(err, engine.ErrOption):
		return usererr.New(usererr.Settings, "the container engine refuses an option of the settings", "ask the administrator: the cause is in the system log", err)
	case errors.Is(err, engine.ErrNameTaken):
		return usererr.New(usererr.Container, "the container's name is in use", "try again, or ask the administrator", err)
	}
	return usererr.New(usererr.Container, "the container cannot be started", "ask the administrator: the cause is in the system log", err)
}

func tookTooLong(err error) error {
	return usererr.New(usererr.Unavailable, "the container did not get ready in time", "try again, or ask the administrator", err)
}
