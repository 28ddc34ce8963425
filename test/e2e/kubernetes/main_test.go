//go:build e2e && kubernetes

package kubernetes

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) { e2e.Main(m) }

// cluster is that of the tests, which ends with this process; in a run with pods it is theirs.
var cluster = e2e.EngineOnce(startCluster)

func init() { cluster.Cluster = true }

const ownFiles = e2e.Scratch + "/cluster"

// files has the kubeconfig files.
func files() e2e.Cluster {
	if e2e.InPods() {
		return e2e.Whole
	}
	return ownFiles
}

// running is the small cluster, which ends with its standard input: that is closed once nobody has this.
var running *exec.Cmd

func startCluster() error {
	if e2e.InPods() {
		return nil
	}
	root := ownFiles + "/image"
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
	cmd := exec.Command(os.Getenv("CLUSTER"), "up", ownFiles, root)
	running = cmd
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
		log, _ := os.ReadFile(ownFiles + "/apiserver.log")
		return fmt.Errorf("the cluster does not start:\n%s", log[max(len(log)-4000, 0):])
	}
	return files().ApplyManifests()
}

// ask asks the API server with all rights.
func ask(method, path string, body []byte) (string, error) { return files().Ask(method, path, body) }

// podsOf returns the names of the pods of a container.
func podsOf(t *testing.T, container string) []string {
	t.Helper()
	names, err := files().PodsWith("dockersh.name", container)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// leasesOf returns the names of the Leases of the sessions in a container.
func leasesOf(t *testing.T, container string) []string {
	t.Helper()
	names, err := files().NamesWith(e2e.LeasesAt, "dockersh.name", container)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// partOf returns the process of a part of the cluster, by an argument of it alone.
func partOf(t *testing.T, argument string) int {
	t.Helper()
	pids := e2e.PidsOf(func(_ int, argv string) bool { return strings.Contains(argv, argument) })
	if len(pids) != 1 {
		t.Fatalf("%d processes with %s", len(pids), argument)
	}
	return pids[0]
}

const apiServer, etcd = " --etcd-servers", " --listen-client-urls"

// newUser adds a user whose containers are pods, until the test ends.
func newUser(t *testing.T, lines ...string) *e2e.Account {
	t.Helper()
	u := e2e.NewUser(t, append(files().Settings(), lines...)...)
	t.Cleanup(func() { _ = exec.Command(e2e.CtlPath, "rm", "--yes", "--force", u.Name+"_dockersh").Run() })
	return u
}
