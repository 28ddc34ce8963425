//go:build e2e

package recording

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// Recorded sessions are processes of the service, whose unit has a limit of tasks: processes
// and threads.
func TestManyRecordedSessionsFitIntoTheServicesUnit(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "its unit")
	u := e2e.NewRecordedUser(t)
	const sessions = 8
	for range sessions {
		c := e2e.LiveSession(t, u)
		defer func() { c.Line("exit"); c.Wait() }()
		c.Run("for i in 1 2 3 4 5; do echo $i; done")
	}
	tasks := 0
	bridges := e2e.Bridges()
	for _, pid := range bridges {
		all, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
		if err != nil {
			t.Fatal(err)
		}
		tasks += len(all)
	}
	if len(bridges) != sessions {
		t.Fatalf("%d bridges for %d sessions", len(bridges), sessions)
	}
	unit, err := os.ReadFile(os.Getenv("REPO") + "/dist/systemd/dockershd.service")
	if err != nil {
		t.Fatal(err)
	}
	limit := regexp.MustCompile(`(?m)^TasksMax=(\d+)$`).FindSubmatch(unit)
	if limit == nil {
		t.Fatalf("no TasksMax for %d tasks of %d sessions: by default 4915 on a small host", tasks, sessions)
	}
	const ofOneUser = 256 // bridges; see docs/limits.md
	if most, _ := strconv.Atoi(string(limit[1])); most < 5*ofOneUser*tasks/sessions {
		t.Errorf("five users fill a limit of %d: %d tasks of %d sessions", most, tasks, sessions)
	}
	t.Logf("%d tasks of %d sessions", tasks, sessions)
}
