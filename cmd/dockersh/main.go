// There are many of these processes, and none needs more than one processor: the
// runtime keeps no files of the cgroup open to follow its limit of processors.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Dockersh is a login shell whose sessions run in a container.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/user/front"
)

func main() { os.Exit(front.Main()) }
