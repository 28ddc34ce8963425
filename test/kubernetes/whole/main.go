// Whole is all of a Kubernetes for tests, in one program: etcd, API server, controller manager,
// scheduler and kubelet. scripts/cluster runs it beside containerd.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	parts := map[string]func() *cobra.Command{
		"apiserver":          apiserver.NewAPIServerCommand,
		"controller-manager": controllermanager.NewControllerManagerCommand,
		"scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
		"kubelet":            func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	}
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
		os.Args = append([]string{"whole-" + name}, os.Args[2:]...)
	}
	switch command, ok := parts[name]; {
	case name == "etcd":
		etcdmain.Main(os.Args)
	case ok:
		os.Exit(cli.Run(command()))
	default:
		fmt.Fprintln(os.Stderr, "usage: whole etcd | apiserver | controller-manager | scheduler | kubelet [OPTION ...]")
		os.Exit(2)
	}
}
