// Dockershd is the broker of dockersh: it gives login shells their containers.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/engine/docker"
	"github.com/dockersh/dockersh/internal/root/daemon"
)

func main() { os.Exit(daemon.Main(docker.Open)) }
