//go:build e2e

package gates

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// What another user's container was is an image on this host, too.
func TestImageOfAnothersContainerIsNotForAll(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor.On(e2e.Podman), noDirect)
	inBoth(t, func(t *testing.T, w world) {
		victim := e2e.NewUser(t, append([]string{"imagename = dsh-busybox"}, w.lines...)...)
		e2e.SSH(t, victim, "echo my secret >/tmp/notes").Want(t, "", "", 0)
		u := e2e.NewUser(t)
		open := append([]string{"imagename = dsh-busybox", "enableuserconfig", "enableuserimagename"}, w.lines...)
		for _, by := range []string{"dockershctl", w.name} {
			image := "backup-" + by + "-" + victim.Name
			argv := []string{e2e.CtlPath, "commit", victim.Name + "_dockersh", image}
			if by == "podman" {
				argv = []string{"podman", "--url", "unix://" + e2e.PodmanSocket, "commit", victim.Name + "_dockersh", image}
			} else if by == "docker" {
				argv[0] = "docker"
			}
			e2e.OnHost(t, argv...)
			t.Cleanup(func() { e2e.OnHost(t, w.name, "rmi", "-f", image) })
			id := strings.TrimPrefix(strings.TrimSpace(e2e.OnHost(t, w.name, "image", "inspect", "-f", "{{.ID}}", image)), "sha256:")
			names := []string{image, image + ":latest", id, id[:12], "sha256:" + id}
			if w.name == "docker" {
				names = append(names, "sha256:"+id[:12]) // Podman fails to look this up
			}
			for _, name := range names {
				u.WriteFile(t, ".dockersh", "[dockersh]\n\timagename = "+name+"\n", 0o644)
				u.Configure(t, open...)
				tryNotes(t, w, u, "was made from a container")
				u.Configure(t, append(open, "allowimage = dsh-*", "allowimage = backup-%u*")...)
				tryNotes(t, w, u, "is not one that you may use")
			}
		}
		u.WriteFile(t, ".dockersh", "[dockersh]\n\timagename = backup-dockershctl-"+victim.Name+"\n", 0o644)
		u.Configure(t, append(open, "allowimage = backup-dockershctl-*")...)
		e2e.SSH(t, u, "cat /tmp/notes").Want(t, "my secret\n", "", 0)
	})
}

// tryNotes logs in, and must get a container of the administrator's image.
func tryNotes(t *testing.T, w world, u *e2e.Account, why string) {
	t.Helper()
	r := e2e.SSH(t, u, "cat /tmp/notes")
	r.Ignored(t, why)
	if r.Stdout != "" || r.Status != 1 {
		t.Errorf("%+v", r)
	}
	e2e.OnHost(t, e2e.CtlPath, "rm", "--yes", "--user", u.Name)
}
