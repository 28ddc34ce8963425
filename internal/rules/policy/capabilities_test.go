package policy

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/host/passwd"
)

func TestDefaultCapabilitiesFitTheContainerUser(t *testing.T) {
	const asRoot, gate = "containerusername = root\n", "enableuserconfig\nenableusercontainerusername\n"
	for _, c := range []struct {
		what, file, own string
		uid             uint32
		want            string
	}{
		{"a user", "", "", 1001, "SETUID SETGID MKNOD"},
		{"a user of programs that gain privileges", "nonewprivileges = false", "", 1001, "SETUID SETGID NET_RAW MKNOD"},
		{"a user who may choose root", gate, "", 1001, "SETUID SETGID NET_RAW MKNOD"},
		{"a user whose image is their own", "nonewprivileges = false\nenableuserconfig\nenableuserimagename", "imagename = x", 1001, "SETUID SETGID MKNOD"},
		{"a user beside a process 1 that may be root", "entrypoint = /sbin/init", "", 1001, "SETUID SETGID NET_RAW MKNOD"},
		{"root of the administrator's", asRoot, "", 0, "NET_RAW MKNOD"},
		{"root of the administrator's, as root may do", asRoot + "nonewprivileges = false", "", 0, "NET_RAW MKNOD"},
		{"root of the user's", gate, asRoot, 0, "SETUID SETGID NET_RAW MKNOD"},
		{"the default, written down", "capdrop = SETUID\ncapdrop = SETGID\ncapdrop = NET_RAW\ncapdrop = MKNOD", "", 1001, "SETUID SETGID NET_RAW MKNOD"},
		{"root, with the default written down", asRoot + "capdrop = SETUID\ncapdrop = SETGID\ncapdrop = NET_RAW\ncapdrop = MKNOD", "", 0, "SETUID SETGID NET_RAW MKNOD"},
		{"nothing dropped", "capdrop =", "", 1001, ""},
		{"all dropped", "capdrop = ALL", "", 0, "ALL"},
	} {
		p := plan(t, alice, "[dockersh]\n"+c.file, "[dockersh]\n"+c.own)
		if got := strings.Join(p.Spec(passwd.Identity{UID: c.uid}, "id", HostPaths{}).CapDrop, " "); got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
		if got := strings.Join(plan(t, alice, "", "").Settings.CapDrop, " "); got != "SETUID SETGID NET_RAW MKNOD" {
			t.Errorf("%s: the settings changed: %q", c.what, got)
		}
	}
}
