// Dockershd is the broker of dockersh: it gives login shells their containers.
package main

import (
	"os"

	"dockersh/internal/engine"
	"dockersh/internal/engine/docker"
	"dockersh/internal/service"
)

func main() {
	os.Exit(service.Main(func(at engine.Address) (engine.Engine, error) { return docker.Open(at) }))
}
