package checks

import (
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
)

var accessChecks = []check{
	{id: "docker-group", severity: Error, why: hole(1), user: dockerGroup},
	{id: "engine-socket", severity: Error, why: hole(1), user: engineSocket},
}

func dockerGroup(_ *facts.Host, u *facts.User) *fault {
	if !slices.Contains(u.Groups, "docker") {
		return nil
	}
	return &fault{text: "the user is in the group docker, and everybody who can use the engine is root on this host",
		lines: []string{"gpasswd -d USER docker"}}
}

// engineSocket finds every other way to a socket: its mode, its owner, an access control
// list, another group. The kernel was asked, with the user's rights.
func engineSocket(_ *facts.Host, u *facts.User) *fault {
	if len(u.Sockets) == 0 || slices.Contains(u.Groups, "docker") || u.UID == 0 {
		return nil
	}
	var lines []string
	for _, s := range u.Sockets {
		owner, mode := "root:root", "600"
		if s == "/run/docker.sock" {
			owner, mode = "root:docker", "660" // as Docker makes it; no other socket is for that group
		}
		lines = append(lines, "setfacl -b "+s+"; chown "+owner+" "+s+"; chmod "+mode+" "+s)
	}
	return &fault{lines: lines, text: "the user can open the engine's socket (" + strings.Join(u.Sockets, ", ") +
		"), and everybody who can is root on this host"}
}
