package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Containers returns the ids of the containers that logins of the account made.
func (a *Account) Containers(t testing.TB) []string {
	t.Helper()
	if InPods() {
		names, err := Whole.PodsWith("dockersh.user", a.Name)
		if err != nil {
			t.Error(err)
		}
		return names
	}
	return strings.Fields(OnHost(t, "docker", "ps", "-aq", "--no-trunc", "--filter", "label=dockersh.user="+a.Name))
}

// Container returns the id of the account's only container.
func (a *Account) Container(t testing.TB) string {
	t.Helper()
	ids := a.Containers(t)
	if len(ids) != 1 {
		t.Fatalf("%s has %d containers, want 1: %q", a.Name, len(ids), ids)
	}
	return ids[0]
}

// Discard removes the account's containers as if they had never been: the next login is
// a first one.
func (a *Account) Discard(t testing.TB) {
	t.Helper()
	for _, id := range a.Containers(t) {
		name := a.Name + "_dockersh"
		if !InPods() {
			name = strings.TrimPrefix(Inspect(t, id, "{{.Name}}"), "/")
		}
		if err := removeContainer(id); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(filepath.Join(Inventory, name))
	}
}

// removeContainer removes a container or a pod, and whatever runs in it.
func removeContainer(id string) error {
	if !InPods() {
		return TryDocker("rm", "-f", id)
	}
	err := Whole.RemovePod(id)
	if err != nil && strings.Contains(err.Error(), "NotFound") {
		return nil
	}
	return err
}

// Inspect returns one field of a container, as a template of `docker inspect`.
func Inspect(t testing.TB, id, field string) string {
	t.Helper()
	return OnHost(t, "docker", "inspect", "-f", field, id)
}

// TryDocker runs docker where a test must not be ended.
func TryDocker(args ...string) error {
	if out, err := exec.Command("docker", args...).CombinedOutput(); err != nil {
		return &failed{"docker " + strings.Join(args, " "), string(out)}
	}
	return nil
}

// DockerDaemon stops, kills or starts the engine of this run. It runs again when the
// test ends.
func DockerDaemon(t testing.TB, verb string) {
	t.Helper()
	if verb != "start" {
		t.Cleanup(func() { DockerDaemon(t, "start") })
	}
	cmd := exec.Command("sh", os.Getenv("REPO")+"/scripts/engine", verb)
	// A file, not a pipe: dockerd keeps it open.
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("engine %s: %v", verb, err)
	}
}

// ContainerID prints, in a container of Docker, the first characters of its id.
const ContainerID = `grep -o "[0-9a-f]\{64\}/hostn" /proc/self/mountinfo | cut -c-12`
