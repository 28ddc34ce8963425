//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// An ImageTool imports a file as an image: docker or podman.
type ImageTool struct{ try func(args ...string) error }

// The tools, for the host's Docker and for root's Podman.
var (
	DockerImages = ImageTool{TryDocker}
	PodmanImages = ImageTool{TryPodman}
)

// MakeImage makes an image of busybox's files, changed by a script that runs in the
// directory that has them. changes are lines of a Dockerfile. The image is removed when
// the test ends.
func (i ImageTool) MakeImage(t testing.TB, name, script string, changes ...string) {
	t.Helper()
	root := t.TempDir()
	cmd := exec.Command("sh", "-ec", `mkdir -m 755 "$0/root"; cd "$0/root"; tar -xf "$1"; `+script+`
		tar --numeric-owner --xattrs --xattrs-include=security.capability -cf ../image.tar .`, root, ImageTar("busybox"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	args := []string{"import"}
	for _, c := range changes {
		args = append(args, "--change", c)
	}
	if err := i.try(append(args, root+"/image.tar", name)...); err != nil {
		t.Fatal(err)
	}
	if InPods() {
		OnHost(t, "sh", os.Getenv("REPO")+"/scripts/cluster", "load", name)
	}
	t.Cleanup(func() { _ = i.try("rmi", "-f", name) })
}

// MakeImageWith makes an image of busybox and of programs of this host, with their libraries.
func (i ImageTool) MakeImageWith(t testing.TB, name string, programs ...string) {
	t.Helper()
	i.MakeImage(t, name, "for f in "+strings.Join(programs, " ")+`; do
		for f in $f $(ldd $f | grep -o '/[^ ]*'); do mkdir -p ".${f%/*}"; cp -L "$f" ".$f"; done
	done`)
}
