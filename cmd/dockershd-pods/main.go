// There are many of these processes, and none needs more than one processor: the
// runtime keeps no files of the cgroup open to follow its limit of processors.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Dockershd-pods has the client of Kubernetes clusters for the other programs, which do not link it.
// "serve" makes the calls of the program that started it, and "bridge" carries one session.
package main

import (
	"fmt"
	"os"

	"github.com/dockersh/dockersh/internal/engine/enginerpc"
	"github.com/dockersh/dockersh/internal/engine/kubernetes"
	"github.com/dockersh/dockersh/internal/host/version"
	"github.com/dockersh/dockersh/internal/root/bridge"
)

func main() { os.Exit(run(os.Args[min(1, len(os.Args)):])) }

func run(args []string) int {
	kubernetes.KeepQuiet()
	switch {
	case len(args) == 1 && args[0] == "--version":
		fmt.Println("dockershd-pods", version.Get())
		return 0
	case len(args) == 1 && args[0] == "serve":
		if err := enginerpc.Serve(0, kubernetes.Open); err == nil {
			return 0
		}
		return 1
	case len(args) == 1 && args[0] == "bridge":
		os.Args = os.Args[:1]
		return bridge.Main(kubernetes.Open)
	}
	_, _ = os.Stderr.WriteString("dockershd-pods: error: dockershd starts it, with a socket as its standard input\n")
	return 2
}
