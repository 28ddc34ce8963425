// There are many of these processes, and none needs more than one processor: the
// runtime keeps no files of the cgroup open to follow its limit of processors.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Dockersh-podinit is dockersh-init in a pod of a cluster: it is process 1 there, and carries sessions
// over the exec of the API.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/container/agent"
)

func main() { os.Exit(agent.PodMain()) }
