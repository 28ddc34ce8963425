package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// PodmanSocket is the socket of a rootful Podman. InPodman is the settings for it: without a
// network, since there may be no packet filter.
const (
	PodmanSocket = "/run/podman/podman.sock"
	InPodman     = "dockersocket = " + PodmanSocket + "\n\tnetwork = none"
)

// podmanConf has no systemd and no packet filter, as scripts/engine.
const podmanConf = "[containers]\nnetns = \"none\"\n[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nruntime = \"runc\"\n"

// Podman is root's Podman. Its service runs on for the test binaries that follow.
var Podman = EngineOnce(startPodman)

var podmanService = Daemon{
	Name:  "podman",
	Argv:  []string{"env", "HOME=/root", "podman", "system", "service", "--time=0", "unix://" + PodmanSocket},
	Ready: func() bool { return TryPodman("version") == nil },
}

// ErrNotHere is what this machine cannot do, which is no fault of dockersh.
var ErrNotHere = errors.New("not on this machine")

// EngineOnce returns an engine that start starts once.
func EngineOnce(start func() error) Engine {
	once := sync.OnceValue(start)
	return Engine{Start: func(t testing.TB) {
		t.Helper()
		switch err := once(); {
		case errors.Is(err, ErrNotHere):
			t.Skip(err)
		case err != nil:
			t.Fatal(err)
		}
	}}
}

func startPodman() error {
	if _, err := os.Stat("/usr/bin/podman"); err != nil {
		return fmt.Errorf("%w: podman is not installed (apt-get install podman)", ErrNotHere)
	}
	if podmanService.Ready() {
		return TryPodman("rm", "-a", "-f", "-t", "0")
	}
	for path, text := range map[string]string{
		"/etc/containers/storage.conf":    fmt.Sprintf("[storage]\ndriver = \"overlay\"\ngraphroot = \"%s/podman\"\nrunroot = \"/run/podman-run\"\n", os.Getenv("APART")),
		"/etc/containers/containers.conf": podmanConf,
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(PodmanSocket), 0o755); err != nil {
		return err
	}
	if err := podmanService.Start(); err != nil {
		return err
	}
	for _, image := range []string{"busybox", "debian"} {
		if err := TryPodman("import", ImageTar(image), "dsh-"+image); err != nil {
			return err
		}
	}
	if err := TryPodman("run", "--rm", "dsh-busybox", "/bin/true"); err != nil {
		return fmt.Errorf("%w: %w", ErrNotHere, err)
	}
	return nil
}

// ImageTar returns the file of an image that scripts/images made.
func ImageTar(image string) string { return os.Getenv("REPO") + "/build/images/" + image + ".tar" }

// TryPodman runs podman with root's engine where a test must not be ended.
func TryPodman(args ...string) error {
	if out, err := exec.Command("podman", append([]string{"--url", "unix://" + PodmanSocket}, args...)...).CombinedOutput(); err != nil {
		return &failed{"podman " + strings.Join(args, " "), string(out)}
	}
	return nil
}

// inPodman is a user whose container is Podman's.
var inPodman = &kind{name: "podman", engine: Podman, add: func() (*Account, error) {
	a, err := addAccount(Front)
	if err != nil {
		return nil, err
	}
	return a, a.Set(InPodman, "imagename = dsh-debian", "shell = /bin/bash", "mounthome")
}}
