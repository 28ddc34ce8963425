// There are many of these processes, and none needs more than one processor: the
// runtime keeps no files of the cgroup open to follow its limit of processors.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Dockersh-init runs inside a container and starts the sessions of its user.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/container/agent"
)

func main() { os.Exit(agent.Main()) }
