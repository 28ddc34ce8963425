//go:build e2e && kubernetes

package kubernetes

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) { e2e.Main(m) }

// cluster is that of the tests. It ends with this process.
var cluster = e2e.EngineOnce(startCluster)

const (
	namespace = "dockersh"
	files     = e2e.Scratch + "/cluster"
	hostFile  = files + "/host.kubeconfig" // with the role of a login host
)

func startCluster() error {
	if whole := os.Getenv("EXISTING"); whole != "" {
		return useCluster(whole)
	}
	root := files + "/image"
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	repo, err := filepath.Abs("../../..")
	if err != nil {
		return err
	}
	if out, err := exec.Command("tar", "-C", root, "-xf", repo+"/build/images/busybox.tar").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if out, err := exec.Command("mknod", "-m", "666", root+"/dev/null", "c", "1", "3").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	// An API server wants an address that others could reach.
	for _, args := range []string{"link add dshcluster type bridge", "address add 10.213.8.1/24 dev dshcluster", "link set dshcluster up",
		"route add default via 10.213.8.2"} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
	}
	cmd := exec.Command(os.Getenv("CLUSTER"), "up", files, root)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // its mounts end with it
	if _, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		log, _ := os.ReadFile(files + "/apiserver.log")
		return fmt.Errorf("the cluster does not start:\n%s", log[max(len(log)-4000, 0):])
	}
	return applyManifests(repo + "/dist/kubernetes/dockersh.yaml")
}

// useCluster uses a whole cluster. The directory has admin.kubeconfig and host.kubeconfig, the
// authority ca.crt, and api.sock, which leads to the API server.
func useCluster(dir string) error {
	const at = "127.0.0.1:16443" // the certificate of the server has it
	if err := os.MkdirAll(files+"/cert", 0o755); err != nil {
		return err
	}
	for from, to := range map[string]string{
		"admin.kubeconfig": "/admin.kubeconfig", "host.kubeconfig": "/host.kubeconfig", "ca.crt": "/cert/apiserver.crt",
	} {
		text, err := os.ReadFile(filepath.Join(dir, from))
		if err != nil {
			return err
		}
		text = regexp.MustCompile(`server: "[^"]*"`).ReplaceAll(text, []byte(`server: "https://`+at+`"`))
		text = regexp.MustCompile(`certificate-authority: [^}]*`).ReplaceAll(text, []byte("certificate-authority: "+files+"/cert/apiserver.crt"))
		if err := os.WriteFile(files+to, text, 0o600); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		return err
	}
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			server, err := net.Dial("unix", filepath.Join(dir, "api.sock"))
			if err != nil {
				_ = c.Close()
				continue
			}
			go func() { _, _ = io.Copy(server, c); _ = server.(*net.UnixConn).CloseWrite() }()
			go func() { _, _ = io.Copy(c, server); _ = c.Close(); _ = server.Close() }()
		}
	}()
	repo, err := filepath.Abs("../../..")
	if err != nil {
		return err
	}
	return applyManifests(repo + "/dist/kubernetes/dockersh.yaml")
}

// places are where objects of a kind are made.
var places = map[string]string{
	"Namespace": "/api/v1/namespaces", "ServiceAccount": "/api/v1/namespaces/dockersh/serviceaccounts",
	"Role":          "/apis/rbac.authorization.k8s.io/v1/namespaces/dockersh/roles",
	"RoleBinding":   "/apis/rbac.authorization.k8s.io/v1/namespaces/dockersh/rolebindings",
	"NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/dockersh/networkpolicies",
}

// applyManifests makes what a file has. The user of the login host has a token here, in place of a
// service account.
func applyManifests(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text = bytes.ReplaceAll(text, []byte("{kind: ServiceAccount, name: login-host, namespace: dockersh}"),
		[]byte("{kind: User, apiGroup: rbac.authorization.k8s.io, name: login-host}"))
	for doc := range strings.SplitSeq(string(text), "\n---\n") {
		var of struct{ Kind string }
		json, err := yaml.YAMLToJSON([]byte(doc))
		if err := errors.Join(err, yaml.Unmarshal([]byte(doc), &of)); err != nil {
			return err
		}
		_, err = ask(http.MethodPost, places[of.Kind]+"?fieldValidation=Strict", json)
		if err != nil && !strings.Contains(err.Error(), "AlreadyExists") {
			return fmt.Errorf("%s: %w", of.Kind, err)
		}
	}
	return nil
}

// ask asks the API server with all rights.
func ask(method, path string, body []byte) (string, error) {
	config, err := os.ReadFile(files + "/admin.kubeconfig")
	if err != nil {
		return "", err
	}
	authority, err := os.ReadFile(files + "/cert/apiserver.crt")
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	server := regexp.MustCompile(`server: "([^"]*)"`).FindSubmatch(config)
	token := regexp.MustCompile(`token: (\w+)`).FindSubmatch(config)
	r, err := http.NewRequest(method, string(server[1])+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+string(token[1]))
	r.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	client := &http.Client{Timeout: e2e.Limit,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return string(text), err
}

// podsOf returns the names of the pods of a container.
func podsOf(t *testing.T, container string) (names []string) {
	t.Helper()
	text, err := ask(http.MethodGet, "/api/v1/namespaces/dockersh/pods", nil)
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Items []struct {
			Metadata struct {
				Name        string
				Annotations map[string]string
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	for _, p := range all.Items {
		if p.Metadata.Annotations["dockersh.name"] == container {
			names = append(names, p.Metadata.Name)
		}
	}
	return names
}

// apiServer returns the process of the API server.
func apiServer(t *testing.T) int {
	t.Helper()
	pids := e2e.PidsOf(func(_ int, argv string) bool {
		return strings.Contains(argv, "apiserver") && strings.Contains(argv, "--etcd-servers")
	})
	if len(pids) != 1 {
		t.Fatalf("%d API servers", len(pids))
	}
	return pids[0]
}

// newUser adds a user whose containers are pods, until the test ends.
func newUser(t *testing.T, lines ...string) *e2e.Account {
	t.Helper()
	u := e2e.NewUser(t, append([]string{"dockersocket = kubernetes://" + namespace, "kubeconfig = " + hostFile}, lines...)...)
	t.Cleanup(func() { _ = exec.Command(e2e.CtlPath, "rm", "--yes", "--force", u.Name+"_dockersh").Run() })
	return u
}
