package docker

import (
	"testing"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
)

func TestRuncIsFoundWhereItIsTheRuntime(t *testing.T) {
	docker := client.ServerVersionResult{Components: []system.ComponentVersion{{Name: "Engine", Version: "28.2.2"}, {Name: "runc", Version: "1.3.3"}}}
	podman := client.ServerVersionResult{Components: []system.ComponentVersion{{Name: "Podman Engine", Version: "4.3.1"}, {Name: "OCI Runtime (runc)", Version: "runc version 1.1.5\ncommit: 1"}}}
	for _, c := range []struct {
		name    string
		version client.ServerVersionResult
		runtime string
		want    string
	}{{"Docker", docker, "runc", "1.3.3"}, {"Docker with another runtime", docker, "crun", ""}, {"Podman", podman, "", "1.1.5"}} {
		if got := runcOf(&c.version, &system.Info{DefaultRuntime: c.runtime}); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSecurityOptionsAreRead(t *testing.T) {
	for _, c := range []struct {
		options                 []string
		seccomp, userNamespaces bool
	}{
		{nil, false, false},
		{[]string{"name=seccomp,profile=builtin", "name=cgroupns"}, true, false},
		{[]string{"name=seccomp,profile=unconfined", "name=userns"}, false, true},
		{[]string{"name=rootless"}, false, true},
	} {
		if seccomp(c.options) != c.seccomp || userNamespaces(c.options) != c.userNamespaces {
			t.Errorf("%q: %v %v", c.options, seccomp(c.options), userNamespaces(c.options))
		}
	}
}

func TestOpenAddressIsReadFromTheWarnings(t *testing.T) {
	open := "WARNING: API is accessible on http://127.0.0.1:2375 without encryption.\n         Access"
	for _, c := range []struct {
		warnings []string
		want     string
	}{{nil, ""}, {[]string{"WARNING: No swap limit support", open}, "http://127.0.0.1:2375"}} {
		if got := openAddress(c.warnings); got != c.want {
			t.Errorf("%q: %q, want %q", c.warnings, got, c.want)
		}
	}
}
