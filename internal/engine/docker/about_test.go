package docker

import (
	"testing"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

func TestAboutReadsWhatEnginesReport(t *testing.T) {
	dockerVersion := client.ServerVersionResult{Version: "28.2.2", Components: []system.ComponentVersion{{Name: "Engine", Version: "28.2.2"}, {Name: "runc", Version: "1.3.3"}}}
	podmanVersion := client.ServerVersionResult{Version: "4.3.1", Components: []system.ComponentVersion{{Name: "Podman Engine", Version: "4.3.1"}, {Name: "OCI Runtime (runc)", Version: "runc version 1.1.5\ncommit: 1"}}}
	open := "WARNING: API is accessible on http://127.0.0.1:2375 without encryption.\n         Access"
	for _, c := range []struct {
		name    string
		version client.ServerVersionResult
		info    system.Info
		want    engine.About
	}{
		{"filtered", dockerVersion, system.Info{DefaultRuntime: "runc", SecurityOptions: []string{"name=seccomp,profile=builtin", "name=cgroupns"}},
			engine.About{Name: "Docker", Version: "28.2.2", Oldest: "20.10", Runc: "1.3.3", Seccomp: true}},
		{"unfiltered, remapped, another runtime", dockerVersion, system.Info{DefaultRuntime: "crun", SecurityOptions: []string{"name=seccomp,profile=unconfined", "name=userns"}},
			engine.About{Name: "Docker", Version: "28.2.2", Oldest: "20.10", UserNamespaces: true}},
		{"open", dockerVersion, system.Info{Warnings: []string{"WARNING: No swap limit support", open}},
			engine.About{Name: "Docker", Version: "28.2.2", Oldest: "20.10", OpenAddress: "http://127.0.0.1:2375"}},
		{"Podman, rootless", podmanVersion, system.Info{SecurityOptions: []string{"name=rootless"}},
			engine.About{Name: "Podman", Version: "4.3.1", Oldest: "4.3", Runc: "1.1.5", UserNamespaces: true}},
	} {
		if got := aboutOf(&c.version, &c.info); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
