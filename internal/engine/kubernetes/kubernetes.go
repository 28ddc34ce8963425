// Package kubernetes has containers as pods of a Kubernetes cluster: one pod for each, in a
// namespace that is dockersh's own. docs/design/kubernetes.md explains how the words of package
// engine become those of a cluster.
//
// The client is client-go's REST client with the types of the core group alone: all typed clients
// would double the program.
package kubernetes

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
)

// Engine is the pods of one namespace. It implements engine.Engine.
type Engine struct {
	namespace string
	config    *rest.Config
	core      *rest.RESTClient
	http      *http.Client // for what is not in the core group

	watched watched

	calls, failed atomic.Uint64
}

var (
	_ engine.Engine = (*Engine)(nil)
	_ engine.Shared = (*Engine)(nil)
)

// Open returns the client of a cluster. The address names the namespace, and in place of
// certificates a kubeconfig file, with a context after #; empty: the pod that this program runs in.
func Open(a engine.Address) (engine.Engine, error) {
	namespace, ok := strings.CutPrefix(a.Host, engine.Cluster)
	if !ok || namespace == "" || strings.ContainsAny(namespace, "/?#") {
		return nil, fmt.Errorf("%s is not kubernetes://NAMESPACE", a.Host)
	}
	config, err := configOf(a.TLS)
	if err != nil {
		return nil, err
	}
	return open(namespace, config)
}

// KeepQuiet keeps client-go from writing lines of its own to standard error.
func KeepQuiet() { klog.SetLogger(logr.Discard()) }

func configOf(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		return inCluster()
	}
	file, context, _ := strings.Cut(kubeconfig, "#")
	if err := checkSecret(file); err != nil {
		return nil, err
	}
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(&clientcmd.ClientConfigLoadingRules{ExplicitPath: file},
		&clientcmd.ConfigOverrides{CurrentContext: context}).ClientConfig()
}

// checkSecret refuses a file with secrets that others can read or write.
func checkSecret(file string) error {
	info, err := os.Stat(file)
	if err == nil && !manifest.IsOwn(info, 0o077) {
		err = fmt.Errorf("%s can be read by others (chown root %s && chmod 600 %s)", file, file, file)
	}
	return err
}

// inCluster returns the way to the cluster whose pod this host is. Nothing of the environment counts.
func inCluster() (*rest.Config, error) {
	const dir = "/var/run/secrets/kubernetes.io/serviceaccount/"
	token, err := os.ReadFile(dir + "token")
	if err != nil {
		return nil, fmt.Errorf("this host is not a pod of a cluster, and kubeconfig is not set: %w", err)
	}
	return &rest.Config{
		Host: "https://kubernetes.default.svc", TLSClientConfig: rest.TLSClientConfig{CAFile: dir + "ca.crt"},
		BearerToken: string(token), BearerTokenFile: dir + "token",
	}, nil
}

func open(namespace string, config *rest.Config) (*Engine, error) {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	config.GroupVersion = &corev1.SchemeGroupVersion
	config.APIPath = "/api"
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.UserAgent = "dockersh"
	config.WarningHandler = rest.NoWarnings{}
	config.QPS = -1 // the API server has limits of its own, and a login waits for ours
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	core, err := rest.RESTClientForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	return &Engine{namespace: namespace, config: config, core: core, http: client}, nil
}

// Program returns the name of the command line of clusters.
func (e *Engine) Program() string { return "kubectl" }

// Counts returns how many calls this process made to the API server.
func (e *Engine) Counts() engine.Counts {
	return engine.Counts{Calls: e.calls.Load(), Failed: e.failed.Load()}
}

// Close closes idle connections.
func (e *Engine) Close() error {
	e.http.CloseIdleConnections()
	return nil
}
