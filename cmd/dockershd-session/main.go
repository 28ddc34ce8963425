// There are many of these processes, and none needs more than one processor: the
// runtime keeps no files of the cgroup open to follow its limit of processors.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Dockershd-session is the broker of one session, where no service runs.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/root/daemon"
)

func main() { os.Exit(daemon.SessionMain()) }
