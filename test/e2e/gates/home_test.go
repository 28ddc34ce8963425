//go:build e2e

package gates

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// Where setuid programs may gain rights, since sudo is wanted, a home at /etc/pam.d says
// who may become root.
func TestHomePlacedByItsUserDoesNotMakeRoot(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, noDirect)
	u := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash", "nonewprivileges = false", "mounthome", "enableuserconfig", "enableusermounthometo")
	u.WriteFile(t, ".dockersh", "[dockersh]\n\tmounthometo = /etc/pam.d\n", 0o644)
	u.WriteFile(t, "su", "auth required pam_exec.so seteuid stdout /etc/pam.d/payload\n", 0o644)
	u.WriteFile(t, "payload", "#!/bin/bash -p\nid\n", 0o755)
	r := e2e.SSH(t, u, "su -c true root; id -u")
	if strings.Contains(r.Stdout, "(root)") {
		t.Errorf("the user's program ran as root: %q", r.Stdout)
	}
	r.Ignored(t, "/etc/pam.d")
}

func TestImageOfOneUserIsNotForOthers(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, noDirect)
	const room = "containername = gates-room"
	u := docker.hostile(t, []string{room}, `rm bin/ash; printf '#!/bin/sh\necho mine' >bin/ash; chmod 755 bin/ash`)
	e2e.SSH(t, u, "true").Ignored(t, "imagename in ~/.dockersh", "gates-room")
	v := e2e.NewUser(t, room)
	e2e.SSH(t, v, "id -un").Want(t, v.Name+"\n", "", 0)
}
