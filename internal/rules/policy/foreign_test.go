package policy

import (
	"maps"
	"slices"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

func TestForeignImageDoesNotSayWhoAnybodyIs(t *testing.T) {
	const gates = "[dockersh]\nmounthome\nenableuserconfig\nenableuserimagename\ncontainerusername = "
	image := Image{
		Users:    []account.User{{Name: "student", Home: "/root"}, {Name: "root", UID: 7, GID: 8}, {Name: "who", UID: 4321, GID: 0}},
		Groups:   []account.Group{{Name: "root"}, {Name: "docker", GID: 999}},
		MemberOf: func(string) []account.Group { return []account.Group{{Name: "docker", GID: 999}} },
	}
	host := []account.Group{{Name: "alice", GID: 1001}, {Name: "staff", GID: 50}}
	lookup := func(string) (account.User, error) { return account.User{UID: 2}, nil }
	for _, c := range []struct {
		spec, name string
		uid, gid   uint32
		groups     []uint32
	}{
		{"%u", "alice", 1001, 1001, []uint32{1001, 50}},
		{"student", "student", 1001, 1001, []uint32{1001, 50}},
		{"daemon", "daemon", 1001, 1001, []uint32{1001, 50}},
		{"4321", "alice", 4321, 4321, []uint32{4321}},
		{"4321:5", "alice", 4321, 5, []uint32{5}},
		{"root", "root", 0, 0, []uint32{0}},
		{"0", "alice", 0, 0, []uint32{0}},
	} {
		p := plan(t, alice, gates+c.spec, "[dockersh]\nimagename = evil/x\n")
		image.Foreign = p.ForeignImage()
		who, err := p.ContainerUser(host, image, lookup)
		var groups []uint32
		for _, g := range who.Groups {
			groups = append(groups, g.GID)
		}
		if err != nil || who.Name != c.name || who.UID != c.uid || who.GID != c.gid || !slices.Equal(groups, c.groups) || who.Home != "/home/alice" {
			t.Errorf("%s is %+v, %v", c.spec, who, err)
		}
	}
}

func TestImageIsForeignIfAUserChoseIt(t *testing.T) {
	const gates = "[dockersh]\nimagename = debian:12\nenableuserconfig\nenableuserimagename\nenableuserdockersocket\nenableusermounttmp\n"
	for own, want := range map[string]bool{
		"": false, "imagename = evil/x": true, "mounttmp": false, "imagename = debian:12": false, "imagename = debian": true, "dockersocket = /run/evil.sock": true,
	} {
		p := plan(t, alice, gates, "[dockersh]\n"+own)
		if got := p.ForeignImage(); got != want {
			t.Errorf("%s: %v", own, got)
		}
		labels := p.Spec(passwd.Identity{UID: 1001}, "id", HostPaths{}).Labels
		if got := HasForeignImage(labels); got != want {
			t.Errorf("%s, by the labels: %v", own, got)
		}
		if HasForeignImage(without(labels, engine.LabelOwner)) {
			t.Errorf("%s: in a container that was made by hand", own)
		}
		// An older version wrote no such label.
		changed := own != "" && own != "imagename = debian:12"
		if got := HasForeignImage(without(labels, engine.LabelImageBy)); got != changed && own != "dockersocket = /run/evil.sock" {
			t.Errorf("%s, by the labels of an older version: %v", own, got)
		}
	}
	p := plan(t, alice, gates, "[dockersh]\nimagename = debian:12")
	if p.Admins = nil; !p.ForeignImage() {
		t.Error("the administrator's settings do not fit the user, and the image counts as theirs")
	}
}

func without(labels map[string]string, label string) map[string]string {
	labels = maps.Clone(labels)
	delete(labels, label)
	return labels
}

func TestProgramsOfAForeignImageGainNothing(t *testing.T) {
	const gates = "[dockersh]\nnonewprivileges = false\nenableuserconfig\nenableuserimagename\n"
	for own, foreign := range map[string]bool{"": false, "[dockersh]\nimagename = evil/x": true} {
		s := plan(t, alice, gates, own).Spec(passwd.Identity{UID: 1001}, "id", HostPaths{})
		if s.NoNewPrivileges != foreign || s.ForeignImage != foreign {
			t.Errorf("%q: %+v", own, s)
		}
	}
}

func TestOnlyTheAdministratorsProcessOneIsAnotherUsers(t *testing.T) {
	const file = "[dockersh]\nentrypoint = /sbin/init\ndockeropt = --user root\n"
	for _, c := range []struct {
		lines, gate, own string
		may              bool
	}{
		{"", "usercwd", "", true},
		{"", "usercwd", "usercwd = /tmp", true},
		{"", "shell", "shell = /bin/evil", true},
		{"", "containername", "containername = mine", true},
		{"", "entrypoint", "entrypoint = /bin/evil", false},
		{"", "cmd", "cmd = evil", false},
		{"", "imagename", "imagename = evil/x", false},
		{"", "mounthome", "mounthome", false},
		{"mounthome", "mounthometo", "mounthometo = /srv/x", false},
		{"mounthome", "mounthomefrom", "mounthomefrom = /etc", false},
		{"", "mounttmp", "mounttmp", false},
		{"", "dockeropt", "dockeropt = --user root", false},
		{"mountdockersocket", "dockersocket", "dockersocket = /run/evil.sock", false},
		{"mounthome\nentrypoint = %h/init", "usercwd", "", false},
		{"mounthome\nmounthometo = /srv\nentrypoint = /bin/sh\ncmd = /srv/start", "usercwd", "", false},
		{"mounthome\nentrypoint = %h-tools/init", "usercwd", "", true},
		{"mounttmp\nentrypoint = /tmp/../tmp/init", "usercwd", "", false},
		{"entrypoint = /tmp/init", "usercwd", "", true},
	} {
		own := ""
		if c.own != "" {
			own = "[dockersh]\n" + c.own + "\n"
		}
		p := plan(t, alice, file+c.lines+"\nenableuserconfig\nenableuser"+c.gate+"\n", own)
		if got := p.Spec(passwd.Identity{Name: "alice", UID: 1001, GID: 1001}, "id", HostPaths{}).UserFirst; got != c.may {
			t.Errorf("%s, %s: %v", c.lines, c.own, got)
		}
	}
}

func TestUsersNameOnlyImagesThatAreAllowed(t *testing.T) {
	debian := engine.Image{ID: "sha256:1", Names: []string{"sha256:1", "debian:12", "docker.io/library/debian:12"}}
	commit := engine.Image{ID: "sha256:2", Names: []string{"sha256:2", "backup-bob", "backup-bob:latest"}, Committed: true}
	layer := engine.Image{ID: "sha256:3", Names: []string{"sha256:3"}, Committed: true, Layer: true}
	for _, c := range []struct {
		allow, own    string
		image         engine.Image
		may, mayFetch bool // whether it may be used, and pulled by the name backup-bob
	}{
		{"", "x", debian, true, true},
		{"", "x", commit, false, true},
		{"allowimage =", "x", commit, false, true},
		{"allowimage = debian:*", "sha256:1", debian, true, false},
		{"allowimage = docker.io/*/debian:1?", "x", debian, true, false},
		{"allowimage = sha256:1", "debian:12", debian, true, false},
		{"allowimage = debian", "debian:12", debian, false, false},
		{"allowimage = debian:*\nallowimage = backup-%u", "backup-bob", commit, false, false},
		{"allowimage = backup-bob", "x", commit, true, true},
		{"allowimage = *", "x", commit, true, true},
		{"allowimage = *", "sha256:3", layer, false, true},
		{"allowimage = sha256:3", "sha256:3", layer, false, false},
		{"allowimage = none", "", commit, true, true}, // the administrator's image
		{"allowimage = none\nimagename = backup-bob", "backup-bob", commit, true, true},
	} {
		own := ""
		if c.own != "" {
			own = "[dockersh]\nimagename = " + c.own
		}
		p := plan(t, alice, "[dockersh]\nenableuserconfig\nenableuserimagename\n"+c.allow, own)
		if err := p.AdmitImage(c.image); (err == nil) != c.may || err != nil && code(err) != usererr.Denied {
			t.Errorf("%q, %q: %v", c.allow, c.own, err)
		}
		if err := p.AdmitPull([]string{"backup-bob", "backup-bob:latest"}); (err == nil) != c.mayFetch {
			t.Errorf("%q, %q, to pull: %v", c.allow, c.own, err)
		}
	}
}

func TestHealthCheckRunsOnlyWithTheProcessThatItLooksAfter(t *testing.T) {
	const mayBring = "enableuserconfig\nenableuserimagename\n"
	for _, c := range []struct {
		file, user string
		runs       bool
	}{
		{"", "", false},
		{"entrypoint = /sbin/init", "", true},
		{"dockeropt = --health-cmd=true", "", true},
		{"dockeropt = --health-interval 5s", "", true},
		{"dockeropt = --label=--health-cmd", "", false},
		{mayBring + "entrypoint = /sbin/init", "imagename = evil/x", false},
		{mayBring + "dockeropt = --health-cmd=true", "imagename = evil/x", false},
	} {
		user := ""
		if c.user != "" {
			user = "[dockersh]\n" + c.user
		}
		p := plan(t, alice, "[dockersh]\n"+c.file, user)
		if runs := !p.Spec(passwd.Identity{UID: 1001}, "id", HostPaths{}).NoHealthCheck; runs != c.runs {
			t.Errorf("%q, %q: %v", c.file, c.user, runs)
		}
	}
}
