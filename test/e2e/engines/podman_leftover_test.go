//go:build e2e

package engines

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// leaveInStorage makes what a Podman that is killed in the middle leaves: its storage has
// the container, and its own records do not.
func leaveInStorage(t *testing.T, name string) (id string) {
	t.Helper()
	conf, err := os.ReadFile("/etc/containers/containers.conf")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := strings.Replace(string(conf), "[engine]\n", "[engine]\nstatic_dir = \""+dir+"/static\"\ntmp_dir = \""+dir+"/tmp\"\n", 1)
	if err := os.WriteFile(dir+"/conf", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("podman", "create", "--name", name, "dsh-debian", "true")
	cmd.Env = append(os.Environ(), "CONTAINERS_CONF="+dir+"/conf")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("podman create: %v %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func inStorage(t *testing.T, id string) bool {
	t.Helper()
	return strings.Contains(podman(t, "ps", "-a", "--external", "--no-trunc", "--format", "{{.ID}} {{.State}}"), id+" Storage")
}

func TestLoginReplacesWhatAKilledPodmanLeftOfIt(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u := newPodmanUser(t)
	left := leaveInStorage(t, u.Name+"_dockersh")
	e2e.SSH(t, u, "echo in").Want(t, "in\n", "", 0)
	if inStorage(t, left) {
		t.Error("it is still there")
	}
}

// Podman may have lost its records. Work that only the storage has is not for a login to remove.
func TestLoginKeepsTheFilesOfAContainerThatPodmanForgot(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u, id := withAFile(t)
	podman(t, "rm", "-f", "-t", "0", id)
	left := leaveInStorage(t, u.Name+"_dockersh")
	entry := filepath.Join(e2e.Inventory, u.Name+"_dockersh")
	text, err := os.Readlink(entry)
	if err != nil || !strings.Contains(text, id) {
		t.Fatalf("inventory: %q, %v", text, err)
	}
	e2e.OnHost(t, "ln", "-sfn", strings.Replace(text, id, left, 1), entry)
	e2e.SSH(t, u, "echo in").Refused(t, "does not know the container any more, and keeps its files")
	if !inStorage(t, left) {
		t.Error("it is gone")
	}
	podman(t, "rm", left)
	e2e.SSH(t, u, "echo in").Want(t, "in\n", e2e.NewContainer, 0)
}
