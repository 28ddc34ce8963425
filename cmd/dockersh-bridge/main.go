// Dockersh-bridge carries one session over the exec of a container engine.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/engine/docker"
	"github.com/dockersh/dockersh/internal/root/bridge"
)

func main() { os.Exit(bridge.Main(docker.Open)) }
