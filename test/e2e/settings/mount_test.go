//go:build e2e

package settings

import (
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMountSourceThatTheUserCouldSwapIsRefused(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "mounthome", "mounthomefrom = %h/inner")
	u.WriteFile(t, "inner/mark", "y\n", 0o644)
	e2e.SSH(t, u, "true").Refused(t, u.Home+"/inner")
}

func TestMissingMountSourceIsNotCreated(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "mounthome", "mounthomefrom = /srv/none/%u")
	e2e.SSH(t, u, "true").Refused(t, "/srv/none/"+u.Name)
	if e2e.OnHost(t, "sh", "-c", "ls /srv") == "none" {
		t.Error("it was made")
	}
}

func TestHomeIsMadeForWhoHasNone(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "another user can make no directory there")
	e2e.OnHost(t, "install", "-d", "/srv/made", "/srv/skel")
	t.Cleanup(func() { _ = os.RemoveAll("/srv/made"); _ = os.RemoveAll("/srv/skel") })
	if err := os.WriteFile("/srv/skel/.hello", []byte("world\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	u := e2e.NewUser(t, "mounthome", "mounthomefrom = /srv/made/%u", "makehome = /srv/skel")
	e2e.SSH(t, u, "cat .hello; stat -c '%U %a %n' . .hello; pwd; echo mine >.hello").
		Want(t, "world\n"+u.Name+" 700 .\n"+u.Name+" 644 .hello\n"+u.Home+"\n", "", 0)
	// It is made once: what the user has stays, also in the next container.
	e2e.OnHost(t, e2e.CtlPath, "reset", "--yes", u.Name+"_dockersh")
	e2e.SSH(t, u, "cat .hello").Want(t, "mine\n", "", 0)
	u.Configure(t, "mounthome", "mounthomefrom = /srv/made/%u", "makehome = false")
	v := e2e.NewUser(t, "mounthome", "mounthomefrom = /srv/made/%u", "makehome = false")
	e2e.SSH(t, v, "true").Refused(t, "/srv/made/"+v.Name+" is not mounted: it does not exist", "makehome")
}

func TestNoHomeIsMadeWhereOthersRule(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "another user can make no directory there")
	e2e.OnHost(t, "install", "-d", "-m", "1777", "/srv/open")
	t.Cleanup(func() { _ = os.RemoveAll("/srv/open") })
	u := e2e.NewUser(t, "mounthome", "mounthomefrom = /srv/open/%u", "makehome")
	e2e.SSH(t, u, "true").Refused(t, "/srv/open/"+u.Name, "others than root can change a directory above it")
	// A user must not have root make directories in places of their choice.
	u.Configure(t, "mounthome", "makehome", "enableuserconfig", "enableusermounthomefrom")
	u.WriteFile(t, ".dockersh", "[dockersh]\nmounthomefrom = /etc/cron.d/x\n", 0o644)
	e2e.SSH(t, u, "true").Refused(t, "/etc/cron.d/x is not mounted: it does not exist")
	if out := e2e.OnHost(t, "ls", "-A", "/etc/cron.d", "/srv/open"); strings.Contains(out, "x\n") || strings.Contains(out, u.Name) {
		t.Error(out)
	}
}

func TestHomeInsideBeginsAsTheImagesSkeleton(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "another user cannot write into a running container")
	e2e.DockerImages.MakeImage(t, "dsh-skel", "mkdir -p etc/skel; echo world >etc/skel/.hello")
	u := e2e.NewUser(t, "imagename = dsh-skel")
	e2e.SSH(t, u, "cat .hello; stat -c '%U %a' . .hello").Want(t, "world\n"+u.Name+" 755\n"+u.Name+" 644\n", "", 0)
}
