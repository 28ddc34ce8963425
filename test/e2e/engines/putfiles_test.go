//go:build e2e

package engines

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/test/e2e"
)

// ownVolumeOfRoot makes a directory of the host with a directory for root alone in it.
func ownVolumeOfRoot(t *testing.T, u *e2e.Account, inner string) string {
	t.Helper()
	dir := "/srv/root-" + u.Name
	e2e.OnHost(t, "sh", "-ec", `mkdir -p "$0"; mkdir -m 700 "$0/$1"; echo secret >"$0/$1/f"`, dir, inner)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// staysRoots checks that a directory of the host is as ownVolumeOfRoot made it.
func staysRoots(t *testing.T, dir string) {
	t.Helper()
	if got := e2e.OnHost(t, "stat", "-c", "%u:%g %a", dir); got != "0:0 700" {
		t.Errorf("a directory for root alone, in a volume, is now %s", got)
	}
}

// An image leads the place of the home into a mount.
func TestNoDirectoryOfAVolumeIsGivenToAUser(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	for _, c := range []struct {
		name   string
		images e2e.ImageTool
		engine engineOf
		lines  []string
	}{
		{"Docker", e2e.DockerImages, docker, nil},
		{"Podman", e2e.PodmanImages, podman, []string{e2e.InPodman}},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := e2e.NewUser(t)
			dir := ownVolumeOfRoot(t, u, u.Name)
			c.images.MakeImage(t, "dsh-leads", `rm -rf run; mkdir run data; ln -s /data run/home`)
			t.Cleanup(func() { removeAll(t, u, c.engine) })
			u.Configure(t, append(c.lines, "volume = "+dir+":/data", "imagename = dsh-leads", "shell = /bin/sh")...)
			r := e2e.SSH(t, u, "cat /data/"+u.Name+"/f; pwd")
			if r.Status == 0 && !strings.HasSuffix(r.Stdout, "/\n") || strings.Contains(r.Stdout, "secret") {
				t.Errorf("login: %q %q %d", r.Stdout, r.Stderr, r.Status)
			}
			staysRoots(t, dir+"/"+u.Name)
		})
	}
}

// The image says where the home of one of its users is.
func TestHomeOfAnImagesUserIsNotOneOfAVolume(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := e2e.NewUser(t)
	dir := ownVolumeOfRoot(t, u, "payroll")
	e2e.DockerImages.MakeImage(t, "dsh-student", `mkdir data; ln -s /data way; echo 'student:x:1234:1234::/way/payroll:/bin/sh' >>etc/passwd`)
	u.Configure(t, "volume = "+dir+":/data", "imagename = dsh-student", "containerusername = student", "shell = /bin/sh")
	if r := e2e.SSH(t, u, "cat /data/payroll/f"); strings.Contains(r.Stdout, "secret") {
		t.Errorf("login: %q %q %d", r.Stdout, r.Stderr, r.Status)
	}
	staysRoots(t, dir+"/payroll")
}

// A link that the user made in a mounted home leads a volume to /etc before the container
// is made.
func TestAccountFilesAreNotPutIntoAVolumeThatALinkLeadsToEtc(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := e2e.NewUser(t)
	dir := ownVolumeOfRoot(t, u, "x")
	e2e.OnHost(t, "sh", "-c", "echo precious >"+dir+"/passwd; chmod 600 "+dir+"/passwd")
	e2e.OnHost(t, "ln", "-s", "/etc", u.Home+"/link")
	u.Configure(t, "mounthome", "volume = "+dir+":%h/link")
	e2e.SSH(t, u, "true").Refused(t, "mounted")
	if b, err := os.ReadFile(dir + "/passwd"); string(b) != "precious\n" {
		t.Errorf("a file of a volume: %q %v", b, err)
	}
	// Without the link the user is known inside, although the files come after the start.
	e2e.OnHost(t, "rm", u.Home+"/link")
	succeeds(t, e2e.SSH(t, u, "[ $(whoami) = "+u.Name+" ]"))
}

// While Docker copies into a container, its volumes are mounted on the host, too. The user
// swaps the place of one in the home for a link, as fast as possible.
func TestVolumeIsNotMountedOnTheHostWhileItsPlaceIsSwapped(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "a user's own broker has no rights to gain")
	u := e2e.NewUser(t)
	dir, target := ownVolumeOfRoot(t, u, "x"), "/srv/target-"+u.Name
	e2e.OnHost(t, "mkdir", target)
	t.Cleanup(func() { os.RemoveAll(target) })
	u.Configure(t, "mounthome", "ephemeral", "containername = %u-%x", "volume = "+dir+":%h/data")
	place, link := u.Home+"/data", u.Home+"/link"
	e2e.OnHost(t, "mkdir", place)
	e2e.OnHost(t, "ln", "-s", target, link)
	stop, swapped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(swapped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, place, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE)
			}
		}
	}()
	defer func() { close(stop); <-swapped }()
	for range 8 {
		_, _ = e2e.TrySSH(u, nil, "true") // what it says depends on the moment
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil || strings.Contains(string(mounts), target) {
			e2e.OnHost(t, "umount", target)
			t.Fatalf("the volume is mounted at %s on the host %v", target, err)
		}
	}
}
