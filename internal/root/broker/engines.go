package broker

import (
	"errors"
	"sync"

	"github.com/dockersh/dockersh/internal/engine"
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

// engineTrouble puts an engine's error into words for the user.
func engineTrouble(err error) error {
	if errors.Is(err, ErrHandOver) {
		return err
	}
	return engine.Explain(err, "the container cannot be started")
}
