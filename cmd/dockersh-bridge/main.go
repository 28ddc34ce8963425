// There are many of these processes, and none needs more than one processor: the
// runtime keeps no files of the cgroup open to follow its limit of processors.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Dockersh-bridge carries one session over the exec of a container engine, or records its
// terminal.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/engine/docker"
	"github.com/dockersh/dockersh/internal/root/bridge"
)

func main() { os.Exit(bridge.Main(docker.Open)) }
