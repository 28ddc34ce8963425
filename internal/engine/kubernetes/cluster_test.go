//go:build kubernetes

package kubernetes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginerpc"
)

// These tests run against etcd and a real API server, which `make test-kubernetes` builds. CLUSTER
// names the program. See test/kubernetes/cluster for what is real of it. EXISTING names instead the
// directory of admin.kubeconfig and host.kubeconfig of a cluster that has an image "image".

const namespace = "dockersh"

var (
	files string       // directory of the cluster
	admin *Engine      // with all rights
	host  *rest.Config // with the role of a login host
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "serve" { // the process of inAnotherProcess
		if err := enginerpc.Serve(0, Open); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code, err := withCluster(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// withCluster runs the tests beside a cluster.
func withCluster(run func() int) (code int, err error) {
	if files = os.Getenv("EXISTING"); files != "" {
		if err := prepare(); err != nil {
			return 0, err
		}
		return run(), nil
	}
	if os.Getenv("CLUSTER") == "" {
		return 0, errors.New("these tests are run by make test-kubernetes")
	}
	if files, err = os.MkdirTemp("", "cluster"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(files)
	if err := os.Chmod(files, 0o755); err != nil { // pods live below it
		return 0, err
	}
	root := files + "/image"
	if err := makeImage(root); err != nil {
		return 0, err
	}
	cmd := exec.Command(os.Getenv("CLUSTER"), "up", files, root)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // its mounts end with it
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() { _ = in.Close(); err = errors.Join(err, cmd.Wait()) }()
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		log, _ := os.ReadFile(files + "/apiserver.log")
		return 0, fmt.Errorf("the cluster does not start:\n%s", log[max(len(log)-4000, 0):])
	}
	if err := prepare(); err != nil {
		return 0, err
	}
	return run(), nil
}

// prepare makes the clients, and what a cluster needs.
func prepare() error {
	config, err := configOf(files + "/admin.kubeconfig")
	if err != nil {
		return err
	}
	if admin, err = open(namespace, config); err != nil {
		return err
	}
	if host, err = configOf(files + "/host.kubeconfig"); err != nil {
		return err
	}
	return applyManifests()
}

// makeImage makes the root of an image from busybox.
func makeImage(root string) error {
	script := `mkdir -p "$1/bin" "$1/etc" "$1/dev" "$1/tmp" "$1/data" "$1/opt" && cp "$(command -v busybox)" "$1/bin/busybox" &&
	for p in sh sleep cat mkdir chmod mv head kill id wc rm true; do ln -s busybox "$1/bin/$p"; done
	mknod -m 666 "$1/dev/null" c 1 3 && echo root:x:0:0::/:/bin/sh >"$1/etc/passwd" && echo root:x:0: >"$1/etc/group" &&
	ln -s data "$1/way" && chown 7:8 "$1/opt" && chmod 1777 "$1/tmp"`
	if out, err := exec.Command("sh", "-ec", script, "sh", root).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// applyManifests makes what dist/kubernetes has. The user of the login host has a token here, in
// place of a service account.
func applyManifests() error {
	text, err := os.ReadFile("../../../dist/kubernetes/dockersh.yaml")
	if err != nil {
		return err
	}
	text = bytes.ReplaceAll(text, []byte("{kind: ServiceAccount, name: login-host, namespace: dockersh}"),
		[]byte("{kind: User, apiGroup: rbac.authorization.k8s.io, name: login-host}"))
	places := map[string]string{
		"Namespace": "/api/v1/namespaces", "ServiceAccount": "/api/v1/namespaces/dockersh/serviceaccounts",
		"Role":          "/apis/rbac.authorization.k8s.io/v1/namespaces/dockersh/roles",
		"RoleBinding":   "/apis/rbac.authorization.k8s.io/v1/namespaces/dockersh/rolebindings",
		"NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/dockersh/networkpolicies",
	}
	for doc := range strings.SplitSeq(string(text), "\n---\n") {
		json, err := yaml.YAMLToJSON([]byte(doc))
		if err != nil {
			return err
		}
		var kind struct{ Kind string }
		if err := yaml.Unmarshal([]byte(doc), &kind); err != nil {
			return err
		}
		if places[kind.Kind] == "" {
			return fmt.Errorf("nowhere to make a %s", kind.Kind)
		}
		err = admin.core.Post().AbsPath(places[kind.Kind]).Param("fieldValidation", "Strict").SetHeader("Content-Type", "application/json").
			Body(json).Do(context.Background()).Error()
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("%s: %w", kind.Kind, err)
		}
	}
	return nil
}

// onCluster returns the engine of a login host.
func onCluster(t testing.TB) *Engine {
	t.Helper()
	e, err := Open(engine.Address{Host: engine.Cluster + namespace, TLS: filepath.Join(files, "host.kubeconfig")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e.(*Engine)
}

// inAnotherProcess returns the engine of a login host, as a program without client-go has it.
func inAnotherProcess(t testing.TB) engine.Engine {
	t.Helper()
	e, err := enginerpc.Opener("kubectl", "/proc/self/exe", "serve")(engine.Address{Host: engine.Cluster + namespace, TLS: filepath.Join(files, "host.kubeconfig")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}
