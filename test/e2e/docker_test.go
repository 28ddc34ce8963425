//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// containers are the ids of what logins of the account made.
func (a *account) containers(t testing.TB) []string {
	t.Helper()
	return strings.Fields(run(t, "docker", "ps", "-aq", "--no-trunc", "--filter", "label=dockersh.user="+a.name))
}

// tryDocker is the engine's own command line, for where a test may not be ended.
func tryDocker(args ...string) error {
	if out, err := exec.Command("docker", args...).CombinedOutput(); err != nil {
		return &failed{"docker " + strings.Join(args, " "), string(out)}
	}
	return nil
}

// container is the id of the account's only container.
func (a *account) container(t testing.TB) string {
	t.Helper()
	ids := a.containers(t)
	if len(ids) != 1 {
		t.Fatalf("%s has %d containers, want 1: %q", a.name, len(ids), ids)
	}
	return ids[0]
}

// inspect is one field of a container, as a template of `docker inspect`.
func inspect(t testing.TB, id, field string) string {
	t.Helper()
	return run(t, "docker", "inspect", "-f", field, id)
}

// engine stops, kills or starts the engine of this run; the test's end finds it
// running.
func engine(t testing.TB, verb string) {
	t.Helper()
	if verb != "start" {
		t.Cleanup(func() { engine(t, "start") })
	}
	cmd := exec.Command("sh", os.Getenv("REPO")+"/scripts/engine", verb)
	// A file, not a pipe: dockerd keeps it open.
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("engine %s: %v", verb, err)
	}
}
