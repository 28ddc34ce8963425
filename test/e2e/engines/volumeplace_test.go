//go:build e2e

package engines

import (
	"os"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// In the language of --volume the place of an image's volume could name options, with which Podman
// mounts a directory of the host.
func TestPlaceOfAnImagesVolumeMountsNoDirectoryOfTheHost(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	const image = "dsh-place"
	place := "/data:O,upperdir=" + e2e.Scratch + "/upper,workdir=" + e2e.Scratch + "/work"
	for _, dir := range []string{"upper", "work"} {
		if err := os.MkdirAll(e2e.Scratch+"/"+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	e2e.PodmanImages.MakeImage(t, image, ":", `VOLUME ["`+place+`"]`)
	lines := []string{e2e.InPodman, "imagename = " + image, "shell = /bin/ash", "onchange = apply"}
	u := e2e.NewUser(t, append(lines, "env = A=1")...)
	e2e.SSH(t, u, "echo work >~/f").Want(t, "", "", 0)
	u.Configure(t, append(lines, "env = A=2")...)
	// The container stays as it is.
	e2e.SSH(t, u, "cat ~/f; for d in /data*; do touch $d/hostile 2>/dev/null; done; echo $A").Want(t, "work\n1\n", "", 0)
	if left, err := os.ReadDir(e2e.Scratch + "/upper"); err != nil || len(left) > 0 {
		t.Errorf("the directory of the host has %q, %v", left, err)
	}
}
