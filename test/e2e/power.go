//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A PoweredEngine is an engine of this host that loses its power with it.
type PoweredEngine struct {
	daemons []string // beginnings of the command lines of its processes outside containers
	data    string   // below $APART; what is mounted there goes with the power
	run     []string // patterns of what a boot empties
	start   func(t testing.TB)
}

// The engines.
var (
	PoweredDocker = PoweredEngine{
		daemons: []string{"dockerd --data-root ", "containerd --config ", "/usr/bin/containerd-shim"},
		data:    "docker",
		run:     []string{"/run/docker", "/run/docker.sock", "/run/docker.pid", "/run/containerd"},
		start:   func(t testing.TB) { DockerDaemon(t, "start") },
	}
	PoweredPodman = PoweredEngine{
		daemons: []string{"podman system service ", "/usr/bin/conmon ", "/usr/bin/podman "}, // conmon starts the last when its container ends
		data:    "podman",
		run:     []string{"/run/libpod", "/run/podman-run", "/run/containers", "/run/runc", "/run/crun", "/run/podman/*"},
		start: func(t testing.TB) {
			if err := podmanService.Start(); err != nil {
				t.Fatal(err)
			}
		},
	}
)

// CutPower ends at once what a power cut ends: the sessions, the broker, the engine and
// all containers. What was written to disk stays; what a boot empties is emptied.
func (e PoweredEngine) CutPower(t testing.TB) {
	t.Helper()
	cut := false
	defer func() {
		if !cut { // the tests that follow need the engine
			e.Boot(t)
		}
	}()
	victims := append(e.processes(), Broker.Cmd.Process.Pid)
	for _, pid := range victims {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	Broker.Signal(syscall.SIGKILL)
	Eventually(t, "all processes have ended", func() bool {
		for _, pid := range e.processes() { // some were about to start others
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return len(e.processes()) == 0
	})
	OnHost(t, "sh", "-c", `
		cut -d" " -f5 /proc/self/mountinfo | grep -e "^$APART/$0/" -e "^/run/docker/" -e "^/run/containers/" -e "^/run/podman" | sort -r | while read -r m; do umount -l "$m"; done`, e.data)
	for _, pattern := range append(e.run, RunDir+"/*") {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			panic(err) // of the pattern
		}
		for _, path := range paths {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	cut = true
}

// Boot starts what a boot starts.
func (e PoweredEngine) Boot(t testing.TB) {
	t.Helper()
	e.start(t)
	if err := Broker.Start(); err != nil {
		t.Fatal(err)
	}
}

// processes returns the engine's processes, those in containers, and those of sessions.
func (e PoweredEngine) processes() []int {
	own, _ := os.Readlink("/proc/self/ns/pid")
	words := append([]string{"sshd: " + namePrefix, "sshd-session: " + namePrefix, Front, "-" + filepath.Base(Front), Bridge}, e.daemons...)
	return PidsOf(func(pid int, args string) bool {
		if f := ProcStat("/proc/" + strconv.Itoa(pid) + "/stat"); len(f) == 0 || f[0] == "Z" {
			return false
		}
		if ns, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/pid"); err == nil && ns != own {
			return true
		}
		for _, w := range words {
			if strings.HasPrefix(args, w) {
				return true
			}
		}
		return false
	})
}
