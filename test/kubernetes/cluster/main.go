// Cluster is a small Kubernetes for tests, in one program: etcd, a real API server, and in place of
// scheduler and kubelet a node that runs the containers of pods as processes below a directory.
// Authentication, roles, admission, watches and exec streams are real; images, volumes and
// isolation are not.
package main

import (
	"fmt"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: cluster up DIR ROOT | etcd ... | apiserver ...")
		os.Exit(2)
	}
	name := os.Args[1]
	os.Args = append([]string{"cluster-" + name}, os.Args[2:]...)
	switch name {
	case "apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "etcd":
		etcdmain.Main(os.Args)
	case "up":
		if err := up(os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "cluster: error:", err)
			os.Exit(1)
		}
	}
}
