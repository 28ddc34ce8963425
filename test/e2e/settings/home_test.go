//go:build e2e

package settings

import (
	"fmt"
	"os"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// isAtHome checks that a user is themself inside, in a home of their own.
func isAtHome(t *testing.T, u *e2e.Account) {
	t.Helper()
	e2e.SSH(t, u, "id -un; id -u; pwd; stat -c %U .; echo mine >f && cat f && ls -l f | cut -d' ' -f1").
		Want(t, fmt.Sprintf("%s\n%d\n%s\n%s\nmine\n-rw-r--r--\n", u.Name, u.UID, u.Home, u.Name), "", 0)
}

func TestUsersOfASharedContainerAreAtHome(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "another user cannot write into a running container")
	for i, lines := range [][]string{nil, {"capdrop = ALL"}, {"containerusername = root"}, {"entrypoint = /bin/sleep", "cmd = 32400"}} {
		room := fmt.Sprintf("containername = home-room-%d", i)
		first, second := e2e.NewUser(t, append(lines, room)...), e2e.NewUser(t, room)
		if i == 2 {
			e2e.SSH(t, first, "id -u").Want(t, "0\n", "", 0)
		} else {
			isAtHome(t, first)
		}
		isAtHome(t, second)
	}
}

func TestUserIsThemselfWhereTheImageHasTheirNumberOrName(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "another user cannot write into a running container")
	const room = "containername = twins"
	a, b, c := e2e.NewUser(t), e2e.NewUser(t), e2e.NewUser(t)
	e2e.DockerImages.MakeImage(t, "dsh-twins", fmt.Sprintf(
		"echo 'ubuntu:x:%d:%d::/home/ubuntu:/bin/sh\nother:x:%d:%d::/home/other:/bin/sh\n%s:x:60000:60000::/x:/bin/sh' >>etc/passwd; mkdir -p home/ubuntu",
		a.UID, a.UID, b.UID, b.UID, c.Name))
	for _, u := range []*e2e.Account{a, b, c} {
		u.Configure(t, room, "imagename = dsh-twins")
		isAtHome(t, u)
	}
	// A home that the image made for the name.
	d := e2e.NewUser(t)
	e2e.DockerImages.MakeImage(t, "dsh-named", fmt.Sprintf("echo '%s:x:999:999::%s:/bin/sh' >>etc/passwd; mkdir -p .%s; echo x >.%s/f; chown -R 999:999 .%s",
		d.Name, d.Home, d.Home, d.Home, d.Home))
	d.Configure(t, "imagename = dsh-named")
	isAtHome(t, d)
}

func TestTreeOfHomesIsMountedWhole(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "another user cannot write into a running container")
	e2e.OnHost(t, "install", "-d", "/srv/tree")
	t.Cleanup(func() { _ = os.RemoveAll("/srv/tree") })
	lines := []string{"containername = tree", "volume = /srv/tree:" + e2e.Homes}
	first, second := e2e.NewUser(t, lines...), e2e.NewUser(t, lines...)
	isAtHome(t, first)
	isAtHome(t, second)
	e2e.OnHost(t, e2e.CtlPath, "rm", "--yes", "tree")
	e2e.SSH(t, second, "cat f").Want(t, "mine\n", "", 0)
}

func TestHomeOnAVolumeIsTheUsers(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "another user cannot write into a running container")
	u := e2e.NewUser(t, "volume = home_%u:%h")
	t.Cleanup(func() { e2e.OnHost(t, "docker", "volume", "rm", "-f", "home_"+u.Name) })
	isAtHome(t, u)
	e2e.OnHost(t, e2e.CtlPath, "rm", "--yes", u.Name+"_dockersh")
	e2e.SSH(t, u, "cat f").Want(t, "mine\n", "", 0)
	e2e.OnHost(t, e2e.CtlPath, "rm", "--yes", u.Name+"_dockersh")
}

func TestVolumeOfTheImageAtOrAboveTheHomeIsTheUsers(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "another user cannot write into a running container")
	v := e2e.NewUser(t)
	for _, c := range []struct {
		u    *e2e.Account
		path string
	}{{e2e.NewUser(t), e2e.Homes}, {v, v.Home}} {
		image := "dsh-volume-" + c.u.Name
		e2e.DockerImages.MakeImage(t, image, "mkdir -p ."+e2e.Homes, `VOLUME ["`+c.path+`"]`)
		c.u.Configure(t, "imagename = "+image)
		isAtHome(t, c.u)
	}
}
