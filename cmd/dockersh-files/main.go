// There are many of these processes, and none needs more than one processor: the
// runtime keeps no files of the cgroup open to follow its limit of processors.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Dockersh-files serves sftp and scp in a container whose image has no programs for them.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/container/files"
)

func main() { os.Exit(files.Main()) }
