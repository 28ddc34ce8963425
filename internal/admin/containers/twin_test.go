package containers

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// Two engines have a container of one name, and logins enter that on the second.
func TestContainerThatLoginsDoNotEnterIsNotStartedAndItsRemovalIsOfItAlone(t *testing.T) {
	for _, known := range []string{"by the last start", "by the inventory"} {
		t.Run(known, func(t *testing.T) {
			defer func(run, lib string) { paths.Run, paths.Lib = run, lib }(paths.Run, paths.Lib)
			paths.Run, paths.Lib = t.TempDir(), t.TempDir()
			run, inventory := state.RunDir(paths.Run), state.Inventory(paths.Inventory())
			dir := run.Container("alice_dockersh")
			expected := state.Expected{ID: "2", UID: 1001, Engine: "/run/second.sock"}
			if err := inventory.Set("alice_dockersh", expected); err != nil {
				t.Fatal(err)
			}
			if err := dir.Make(); err != nil {
				t.Fatal(err)
			}
			if known == "by the last start" {
				if err := dir.SetMade(state.Made{UID: 1001, Engine: "/run/second.sock"}); err != nil {
					t.Fatal(err)
				}
			}
			fake := enginetest.New()
			fake.Add(engine.Container{Name: "alice_dockersh", State: engine.Exited})
			found, err := fake.Find(t.Context(), "alice_dockersh")
			if err != nil {
				t.Fatal(err)
			}
			first := Container{Container: found, engine: fake, address: engine.Address{Host: "/run/first.sock"}, twin: true}
			const want = "logins enter the container of this name on the engine /run/second.sock"
			for name, do := range map[string]func() (string, error){
				"start":   func() (string, error) { return startOne(t.Context(), first, dir) },
				"restart": func() (string, error) { return restartOne(t.Context(), first, dir) },
			} {
				if _, err := do(); err == nil || !strings.HasPrefix(cli.OneLine(err), want) || fake.Calls("Start")+fake.Calls("Stop") > 0 {
					t.Errorf("%s: %v; %d calls of Start, %d of Stop", name, err, fake.Calls("Start"), fake.Calls("Stop"))
				}
			}
			if _, err := (&remover{}).removeOne(t.Context(), first, dir); err != nil || fake.Calls("Remove") != 1 {
				t.Errorf("rm: %v", err)
			}
			if got, ok := inventory.Get("alice_dockersh"); !ok || got != expected {
				t.Errorf("the inventory has %v, %t after rm of the other container", got, ok)
			}
			if _, err := dir.Made(); known == "by the last start" && err != nil {
				t.Errorf("what is known of the container that logins enter, after rm of the other: %v", err)
			}
		})
	}
}

func TestRmRemovesWhatACarryOverLeft(t *testing.T) {
	defer func(run, lib string) { paths.Run, paths.Lib = run, lib }(paths.Run, paths.Lib)
	paths.Run, paths.Lib = t.TempDir(), t.TempDir()
	dir := state.RunDir(paths.Run).Container("alice")
	if err := dir.Make(); err != nil {
		t.Fatal(err)
	}
	labels := policy.Owner{UID: 1001}.Labels()
	labels[engine.LabelMark] = dir.Mark()
	fake := enginetest.New()
	for _, name := range []string{"alice", lifecycle.OldName("alice")} {
		fake.Add(engine.Container{Name: name, State: engine.Exited, Labels: labels})
	}
	at := engine.Address{Host: "/run/e.sock"}
	found, err := fake.Find(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	clients := &engine.Clients{Open: func(engine.Address) (engine.Engine, error) { return fake, nil }}
	all, err := listEngine(t.Context(), clients, at, false)
	if err != nil || len(all) != 2 || all[0].left || !all[1].left {
		t.Errorf("listed %+v: %v", all, err)
	}
	fake.Fail("Remove", engine.ErrDown)
	c := Container{Container: found, engine: fake, address: at}
	if _, err := (&remover{force: true}).removeOne(t.Context(), c, dir); err == nil || fake.Calls("Remove") != 1 {
		t.Errorf("rm, where what was left stays: %v", err)
	}
	fake.Fail("Remove", nil)
	if _, err := (&remover{force: true}).removeOne(t.Context(), c, dir); err != nil {
		t.Errorf("rm: %v", err)
	}
	if left, err := fake.List(t.Context(), false); err != nil || len(left) > 0 {
		t.Errorf("%d containers are left: %v", len(left), err)
	}
}

// One engine has two addresses, and where logins go may be unknown: then somebody may be in it.
func TestContainerIsLeftOnlyWhereLoginsAreKnownToGoElsewhere(t *testing.T) {
	defer func(run, lib string) { paths.Run, paths.Lib = run, lib }(paths.Run, paths.Lib)
	for host, left := range map[string]bool{"/var/run/docker.sock": false, "/run/docker.sock": false, "": false, "/run/other.sock": true} {
		paths.Run, paths.Lib = t.TempDir(), t.TempDir()
		dir := state.RunDir(paths.Run).Container("alice_dockersh")
		if err := dir.Make(); err != nil {
			t.Fatal(err)
		}
		if err := dir.SetMade(state.Made{UID: 1001, Engine: host}); err != nil {
			t.Fatal(err)
		}
		c := Container{Container: &engine.Container{Name: "alice_dockersh"}, address: engine.Address{Host: "/run/docker.sock"}, twin: true}
		if got := c.isLeft(dir); got != left {
			t.Errorf("made on %q: %t", host, got)
		}
	}
}
