package docker

import "dockersh/internal/engine"

// Open returns the engine at an address.
func Open(a engine.Address) (*Engine, error) { return New(a.Host) }
