//go:build e2e

package docker

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
)

func TestProcessOneRunsAsExactlyTheseNumbers(t *testing.T) {
	e, s := testEngine(t), spec(t)
	id := made(t, e, s)
	if err := e.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pidOf(t, e, id)))
	if err != nil || !strings.Contains(string(status), "Uid:\t1000\t1000\t1000\t1000\nGid:\t1001\t1001\t1001\t1001\n") ||
		!strings.Contains(string(status), "Groups:\t27 1001 \n") {
		t.Errorf("process 1 is %s %v", status, err)
	}
}

func TestExecRunsAsExactlyTheseNumbers(t *testing.T) {
	e, s := testEngine(t), spec(t)
	s.Options = []string{"-e", "A=b"}
	id := made(t, e, s)
	if err := e.PutFiles(t.Context(), id, []engine.File{{Path: "/etc/group", Mode: 0o644, Data: []byte("extra:x:99:u\n")},
		{Path: "/etc/passwd", Mode: 0o644, Data: []byte("u:x:5:6::/:/bin/sh\n")}}); err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := e.Exec(t.Context(), id, engine.As{UID: 5, GID: 6}, []string{"/bin/sh", "-c", "busybox id >/tmp/id; exec sleep 60"}); err != nil {
		t.Fatal(err)
	}
	if got := inside(t, e, id, "busybox sleep 0.2; busybox cat /tmp/id"); !strings.HasPrefix(got, "uid=5(u) gid=6") || strings.Contains(got, "99") {
		t.Errorf("got %q", got)
	}
	// By name it has the groups of the container's files.
	if err := e.Exec(t.Context(), id, engine.As{Name: "u"}, []string{"/bin/sh", "-c", "busybox id >/tmp/named"}); err != nil {
		t.Fatal(err)
	}
	if got := inside(t, e, id, "busybox sleep 0.5; busybox cat /tmp/named"); !strings.HasPrefix(got, "uid=5(u) gid=6") || !strings.Contains(got, "99(extra)") {
		t.Errorf("by name %q", got)
	}
	if err := e.Exec(t.Context(), id, engine.As{Name: "nobody-there"}, []string{"/bin/sh"}); err == nil {
		t.Error("run as a user who is not there")
	}
	for _, argv := range [][]string{nil, {"/no/such/program"}} {
		if err := e.Exec(t.Context(), id, engine.As{UID: 5, GID: 6}, argv); err == nil {
			t.Errorf("%q was run", argv)
		}
	}
}
