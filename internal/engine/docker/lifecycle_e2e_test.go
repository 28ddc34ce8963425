//go:build e2e

package docker

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

func state(t *testing.T, e *Engine, name string) engine.State {
	t.Helper()
	c, err := e.Find(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return c.State
}

func TestAContainerGoesThroughItsLife(t *testing.T) {
	e, s := testEngine(t), spec(t)
	id := made(t, e, s)
	for range 2 { // the second time it runs already
		if err := e.Start(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	c, err := e.Find(t.Context(), s.Name)
	if err != nil || c.State != engine.Running || c.Pid == 0 {
		t.Fatalf("started: %+v %v", c, err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Pid))
	if err != nil || !strings.Contains(string(status), "Uid:\t1000\t1000\t1000\t1000\nGid:\t1001\t1001\t1001\t1001\n") ||
		!strings.Contains(string(status), "Groups:\t27 1001 \n") {
		t.Errorf("process 1 is %s %v", status, err)
	}
	for range 2 { // the second time it is stopped already
		if err := e.Stop(t.Context(), id, 0); err != nil {
			t.Fatal(err)
		}
	}
	if got := state(t, e, s.Name); got != engine.Exited {
		t.Errorf("stopped: %s", got)
	}
	if err := e.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := e.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	for what, f := range map[string]func() error{
		"find":   func() error { _, err := e.Find(t.Context(), s.Name); return err },
		"start":  func() error { return e.Start(t.Context(), id) },
		"stop":   func() error { return e.Stop(t.Context(), id, time.Second) },
		"remove": func() error { return e.Remove(t.Context(), id) },
		"exec":   func() error { return e.Exec(t.Context(), id, 0, 0, []string{"/bin/sh"}) },
		"read":   func() error { _, err := e.ReadFile(t.Context(), id, "/etc/passwd"); return err },
		"put":    func() error { return e.PutFiles(t.Context(), id, nil) },
	} {
		if err := f(); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s after removal: %v", what, err)
		}
	}
}

func TestAPausedContainerIsWokenByStartAndEndedByStop(t *testing.T) {
	e, s := testEngine(t), spec(t)
	id := made(t, e, s)
	if err := e.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	pauseIt := func() {
		cli, err := e.client(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cli.ContainerPause(t.Context(), id, client.ContainerPauseOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	pauseIt()
	if got := state(t, e, s.Name); got != engine.Paused {
		t.Fatalf("paused: %s", got)
	}
	if err := e.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got := state(t, e, s.Name); got != engine.Running {
		t.Errorf("woken: %s", got)
	}
	pauseIt()
	if err := e.Stop(t.Context(), id, time.Second); err != nil {
		t.Fatal(err)
	}
	if got := state(t, e, s.Name); got != engine.Exited {
		t.Errorf("stopped: %s", got)
	}
}

func TestTheListHasOursAloneAndSizesOnDemand(t *testing.T) {
	e, s, foreign := testEngine(t), spec(t), spec(t)
	foreign.Labels = nil
	id, other := made(t, e, s), made(t, e, foreign)
	for _, size := range []bool{false, true} {
		list, err := e.List(t.Context(), size)
		if err != nil {
			t.Fatal(err)
		}
		var mine *engine.Container
		for _, c := range list {
			if c.ID == id {
				mine = c
			}
			if c.ID == other {
				t.Error("a container without our label is listed")
			}
		}
		if mine == nil || mine.Name != s.Name || mine.State != engine.Created || (mine.Size >= 0) != size ||
			mine.Labels[engine.LabelOwner] != "1000" || mine.Image != testImage {
			t.Errorf("size %v: %+v", size, mine)
		}
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
	if err := e.Exec(t.Context(), id, 5, 6, []string{"/bin/sh", "-c", "busybox id >/tmp/id; exec sleep 60"}); err != nil {
		t.Fatal(err)
	}
	if got := inside(t, e, id, "busybox sleep 0.2; busybox cat /tmp/id"); !strings.HasPrefix(got, "uid=5(u) gid=6") || strings.Contains(got, "99") {
		t.Errorf("got %q", got)
	}
	for _, argv := range [][]string{nil, {"/no/such/program"}} {
		if err := e.Exec(t.Context(), id, 5, 6, argv); err == nil {
			t.Errorf("%q was run", argv)
		}
	}
}

func TestTwoRemovalsAtOnceBothEndWellOrFindNothing(t *testing.T) {
	e, s := testEngine(t), spec(t)
	id := made(t, e, s)
	if err := e.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := e.Remove(t.Context(), id); err != nil && !errors.Is(err, engine.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, err := e.Find(t.Context(), s.Name); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("after removal: %v", err)
	}
}
