package checks

import (
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
)

var gateChecks = []check{
	{id: "host-given-away", severity: Warning, why: "docs/hardening.md, Settings that give away the host", need: wantSettings,
		user: hostGivenAway},
	{id: "open-gates", severity: Warning, why: "docs/hardening.md, What users may set", need: wantSettings, user: openGates},
}

// reach is how far a user gets through a gate.
type reach int

const (
	inside  reach = iota // no farther than their own container
	outside              // to something else, and not to the host
	host                 // to the host, or to other users' files
)

// gates has the worst that a hostile user, with an image of their own where they may
// choose one, can do through each gate. docs/hardening.md has the same words.
var gates = []struct {
	key   string
	reach reach
	worst string
}{
	{"imagename", outside,
		"fill the disk with images, have the engine ask any registry that it can reach, " +
			"and have it make empty directories in mounted ones"},
	{"containername", outside, "make any number of containers, each with limits of its own"},
	{"mounthome", outside, "write from the container the home that programs of the host read and obey"},
	{"mounthomefrom", host, "mount any directory of the host that no user could swap, and have it written by the container user"},
	{"mounthometo", inside, "nothing outside the container"},
	{"mounttmp", outside, "reach what programs of the host have in /tmp, as far as the container user may"},
	{"usercwd", inside, "nothing outside the container"},
	{"containerusername", outside, "be root in the container, or anyone in a shared one; with a mount from the host, root on the host"},
	{"shell", inside, "nothing outside the container"},
	{"mountdockersocket", host, "become root on the host by the engine's socket"},
	{"dockersocket", host, "make any path of the host the engine's socket, to be mounted or for dockersh to obey"},
	{"entrypoint", inside, "nothing outside the container"},
	{"cmd", inside, "nothing outside the container"},
	{"dockeropt", host, "become root on the host: --privileged, -v /:/host and every other option"},
	{"reverseforward", host, "reach every service on the host's loopback, also one that asks local clients for no password"},
}

func hostGivenAway(_ *facts.Host, u *facts.User) *fault {
	s := u.Settings
	if s.MountDockerSocket {
		return &fault{worse: true, text: "mountdockersocket opens the engine, and so the host, to everybody in the container",
			file: s.Origin("mountdockersocket").String(), lines: []string{"mountdockersocket = false"}}
	}
	for _, g := range gates {
		if gate := "enableuser" + g.key; g.reach == host && s.UserMay(g.key) {
			return &fault{worse: true, text: gate + " opens the host to the user: they can " + g.worst, file: s.Origin(gate).String(),
				lines: []string{gate + " = false"}}
		}
	}
	if mount := mountFromHost(u); mount != "" && s.UserMay("containerusername") {
		return &fault{text: "enableusercontainerusername with " + mount +
			": root inside can leave setuid programs there, and read what only root can read",
			file: s.Origin("enableusercontainerusername").String(), lines: []string{"enableusercontainerusername = false"}}
	}
	for _, key := range []string{"mounthome", "mounttmp"} {
		if gate := "enableuser" + key; rootInside(s.ContainerUserName) && s.UserMay(key) {
			return &fault{text: gate +
				" with root as the container user: root inside can leave setuid programs there, and read what only root can read",
				file: s.Origin(gate).String(), lines: []string{gate + " = false"}}
		}
	}
	return nil
}

// mountFromHost names what of the host the container can write, or what its user may let
// it write; empty: nothing.
func mountFromHost(u *facts.User) string {
	s := u.Settings
	switch {
	case s.MountHome:
		return "a mounted home"
	case len(u.Sources) > 0:
		return "a directory of the host"
	case s.UserMay("mounthome"):
		return "enableusermounthome"
	case s.UserMay("mounttmp"):
		return "enableusermounttmp"
	}
	return ""
}

// isDecided reports whether the administrator's file decides what the gate would open: it
// mounts the directory anyway, or lists which images users may name.
func isDecided(u *facts.User, key string) bool {
	switch s := u.Settings; key {
	case "mounthome":
		return s.MountHome
	case "mounttmp":
		return s.MountTmp
	case "imagename":
		return len(s.AllowImage) > 0
	}
	return false
}

// openGates reports how far users get by what they may set. Gates that lead to the host are
// findings of hostGivenAway.
func openGates(_ *facts.Host, u *facts.User) *fault {
	f := &fault{text: "users may set in ~/.dockersh"}
	for _, g := range gates {
		gate := "enableuser" + g.key
		if g.reach != outside || !u.Settings.UserMay(g.key) || isDecided(u, g.key) {
			continue
		}
		if f.file == "" {
			f.file = u.Settings.Origin(gate).String()
		}
		f.text += " " + g.key + ", and can " + g.worst + ";"
		f.lines = append(f.lines, gate+" = false")
	}
	if len(f.lines) == 0 {
		return nil
	}
	f.text = strings.TrimSuffix(f.text, ";")
	return f
}
