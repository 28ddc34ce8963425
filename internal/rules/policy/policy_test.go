package policy

import (
	"errors"
	"slices"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

var alice = account.User{Name: "alice", UID: 1001, GID: 1001, Home: "/home/alice", Shell: "/usr/local/bin/dockersh"}

// decide returns the plan of a login of u under a settings file and a ~/.dockersh.
func decide(t *testing.T, u account.User, file, own string, r Request) (*Plan, error) {
	t.Helper()
	f, err := config.Parse("rc", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	s, err := settings.For(f, settings.Login{User: u, UserFile: func(string) ([]byte, error) { return []byte(own), nil }})
	if err != nil {
		return nil, err
	}
	if s.Ignored != "" {
		return nil, errors.New(s.Ignored)
	}
	r.Admins = s.Admins
	return Decide(u, s.Settings, r)
}

func plan(t *testing.T, u account.User, file, own string) *Plan {
	t.Helper()
	p, err := decide(t, u, file, own, Request{Terminal: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestContainerIsEnteredOnlyByThoseItsNameStandsFor(t *testing.T) {
	const gate = "[dockersh]\nenableuserconfig\nenableusercontainername\n"
	for _, c := range []struct {
		what, file, own string
		made            Owner
		may             bool
	}{
		{"their own", "", "", Owner{1001, "u=alice"}, true},
		{"that of an earlier account of the same name", "", "", Owner{77, "u=alice"}, false},
		{"that of an earlier account of the same name, at this address", "[dockersh]\ncontainername = %u-%s", "", Owner{77, "u=alice,s="}, false},
		{"another user's by a similar name", "[dockersh]\ncontainername = %u_dockersh", "", Owner{1002, "u=bob"}, false},
		{"another variable with the same text", "[dockersh]\ncontainername = x%U", "", Owner{1002, "u=1001"}, false},
		{"the shared one", "[dockersh]\ncontainername = classroom", "", Owner{1002, ""}, true},
		{"another user's by the administrator's literal name", "[dockersh]\ncontainername = bob_dockersh", "", Owner{1002, "u=bob"}, true},
		{"their own, made by a user with a literal name", "", "", Owner{0, ""}, true},
		{"another user's by a name in ~/.dockersh", gate, "[dockersh]\ncontainername = bob_dockersh", Owner{1002, "u=bob"}, false},
		{"a shared one by a name in ~/.dockersh", gate, "[dockersh]\ncontainername = classroom", Owner{1002, ""}, false},
		{"their own by a name in ~/.dockersh", gate, "[dockersh]\ncontainername = mine", Owner{1001, "by=1001"}, true},
		{"another user's by a template in ~/.dockersh", gate, "[dockersh]\ncontainername = x%G", Owner{1002, "by=1002"}, false},
		{"one that another user put in its place", "", "", Owner{1002, "by=1002"}, false},
		{"one that a user put in place of the shared one", "[dockersh]\ncontainername = classroom", "", Owner{1002, "by=1002"}, false},
	} {
		err := plan(t, alice, c.file, c.own).CheckEntry(c.made)
		if (err == nil) != c.may {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestOnlyTheAdministratorsNameAdopts(t *testing.T) {
	const gate = "[dockersh]\nenableuserconfig\nenableusercontainername\n"
	for _, c := range []struct {
		file, own string
		may       bool
	}{
		{"", "", false},
		{"[dockersh]\nadopt", "", true},
		{"[dockersh]\nadopt\ncontainername = user1", "", true},
		{"[dockersh]\nadopt\n[user \"alice\"]\nadopt = false", "", false},
		{gate + "adopt", "[dockersh]\ncontainername = user1", false},
	} {
		if got := plan(t, alice, c.file, c.own).MayAdopt(); got != c.may {
			t.Errorf("%q %q: %v", c.file, c.own, got)
		}
	}
}

func TestOnlyTheAdministratorNamesARemoteEngine(t *testing.T) {
	const there = "[dockersh]\ndockersocket = ssh://docker@h\n"
	for _, c := range []struct {
		file, own string
		may       bool
	}{
		{there, "", true},
		{there + "mounthome", "", false},
		{there + "mounttmp", "", false},
		{there + "mountdockersocket", "", false},
		{there + "reverseforward = 1:1", "", false},
		{there + "enableuserconfig\nenableuserreverseforward", "[dockersh]\nreverseforward = 1:1", false},
		{there + "enableuserconfig\nenableusermounttmp", "[dockersh]\nmounttmp", false},
		{"[dockersh]\nenableuserconfig\nenableuserdockersocket\ndockertls = /t", "[dockersh]\ndockersocket = tcp://h:1", false},
		{"[dockersh]\nenableuserconfig\nenableuserdockersocket", "[dockersh]\ndockersocket = ssh://h", false},
		{there + "enableuserconfig\nenableuserdockersocket", "[dockersh]\ndockersocket = /s", true},
	} {
		if p, err := decide(t, alice, c.file, c.own, Request{}); (err == nil) != c.may {
			t.Errorf("%q %q: %+v %v", c.file, c.own, p, err)
		}
	}
	s := plan(t, alice, there, "").Spec(passwd.Identity{Name: "alice", UID: 1001, GID: 1001}, "sha256:x", HostPaths{Helpers: "/h", Run: "/r"})
	if len(s.Mounts) > 0 || s.Entrypoint != InitInside || !slices.Equal(s.Cmd, []string{"pause"}) || s.Labels[engine.LabelAgent] != "" {
		t.Errorf("%+v", s)
	}
}

func TestOwnerLabelsAreReadBack(t *testing.T) {
	for _, o := range []Owner{{0, ""}, {4294967295, "u=a,U=1"}} {
		if got, ok := OwnerOf(o.Labels()); !ok || got != o {
			t.Errorf("wrote %v, read %v %v", o, got, ok)
		}
	}
	for _, l := range []map[string]string{nil, {engine.LabelOwner: "1"}, {engine.LabelOwner: "-1", engine.LabelIdentity: ""}, {engine.LabelIdentity: "u=a"}} {
		if got, ok := OwnerOf(l); ok {
			t.Errorf("%v is read as %v", l, got)
		}
	}
}

func TestAgentsOfDifferentUsersHaveDifferentKeys(t *testing.T) {
	bob := account.User{Name: "bob", UID: 1002}
	seen := map[string]string{}
	for _, c := range []struct {
		u    account.User
		spec string
	}{{alice, "alice"}, {bob, "alice"}, {bob, "bob"}, {alice, "1001"}, {alice, "1001:5"}, {alice, "1001_3a5"}, {alice, "self-1002"}, {alice, "a.b"}, {alice, "a_2eb"}} {
		key := agentKey(c.u, c.spec)
		if was, ok := seen[key]; ok {
			t.Errorf("%s is the agent of %s and of %s as %s", key, was, c.u.Name, c.spec)
		}
		seen[key] = c.u.Name + " as " + c.spec
		for _, b := range []byte(key) {
			if b == '/' || b == '.' || b < ' ' {
				t.Errorf("%q is not fit for a file name", key)
			}
		}
	}
}

func TestContainerUserIsResolvedToNumbers(t *testing.T) {
	image := Image{
		Users:  []account.User{{Name: "root", Home: "/root"}, {Name: "svc", UID: 50, GID: 60, Home: "/srv"}, {Name: "alice", UID: 9, GID: 9}},
		Groups: []account.Group{{Name: "root", GID: 0}, {Name: "svcs", GID: 60}, {Name: "extra", GID: 61}},
		MemberOf: func(u string) []account.Group {
			return map[string][]account.Group{"svc": {{Name: "extra", GID: 61}}}[u]
		},
	}
	host := []account.Group{{Name: "alice", GID: 1001}, {Name: "staff", GID: 50}}
	for _, c := range []struct {
		spec          string
		file          string
		uid, gid      uint32
		name, home    string
		supplementary []uint32
	}{
		{"%u", "", 1001, 1001, "alice", "/home/alice", []uint32{50}},
		{"%u", "containername = shared", 1001, 1001, "alice", "/home/alice", nil},
		{"root", "", 0, 0, "root", "/root", nil},
		{"root", "mounthome", 0, 0, "root", "/home/alice", nil},
		{"svc", "", 50, 60, "svc", "/srv", []uint32{61}},
		{"svc", "containername = shared", 50, 60, "svc", "/srv", nil},
		{"1001", "", 1001, 1001, "alice", "/home/alice", []uint32{50}},
		{"1001:7", "", 1001, 7, "alice", "/home/alice", nil},
		{"50", "", 50, 60, "svc", "/srv", []uint32{61}},
		{"5000", "", 5000, 5000, "alice", "/home/alice", nil},
		{"5000:6000", "", 5000, 6000, "alice", "/home/alice", nil},
		{"daemon", "", 1, 2, "daemon", "/usr/sbin", nil},
	} {
		p := plan(t, alice, "[dockersh]\ncontainerusername = "+c.spec+"\n"+c.file, "")
		who, err := p.ContainerUser(host, image, func(name string) (account.User, error) {
			return account.User{Name: name, UID: 1, GID: 2, Home: "/usr/sbin"}, nil
		})
		if err != nil {
			t.Errorf("%s: %v", c.spec, err)
			continue
		}
		spec := p.Spec(who, "sha256:x", HostPaths{})
		if spec.UID != c.uid || spec.GID != c.gid || who.Name != c.name || who.Home != c.home || !slices.Equal(spec.Groups, c.supplementary) {
			t.Errorf("%s %s: got %d:%d %v, %s with home %s", c.spec, c.file, spec.UID, spec.GID, spec.Groups, who.Name, who.Home)
		}
		if len(who.Groups) == 0 || who.Groups[0].GID != who.GID {
			t.Errorf("%s: the primary group %d is not first in %v", c.spec, who.GID, who.Groups)
		}
	}
	p := plan(t, alice, "[dockersh]\ncontainerusername = nobodyknows", "")
	if who, err := p.ContainerUser(host, image, func(string) (account.User, error) { return account.User{}, errors.New("none") }); err == nil {
		t.Errorf("an unknown user became %v", who)
	}
}

func TestSpecIsConfinedByDefault(t *testing.T) {
	who := passwd.Identity{Name: "alice", UID: 1001, GID: 1001}
	at := HostPaths{Helpers: "/h", Run: "/r"}
	s := plan(t, alice, "", "").Spec(who, "sha256:x", at)
	if s.Entrypoint != InitInside || !s.NoNewPrivileges || s.PidsLimit != 1024 || !s.QuietLog || s.Labels[engine.LabelAgent] != "self-1001" ||
		!slices.Equal(s.CapDrop, []string{"SETUID", "SETGID", "MKNOD"}) || len(s.Volumes) != 0 {
		t.Errorf("defaults: %+v", s)
	}
	if _, ok := s.Labels[engine.LabelHome]; !ok {
		t.Error("an image could choose what is mounted as the home")
	}
	for _, m := range s.Mounts {
		if !m.ReadOnly {
			t.Errorf("by default %s is writable in the container", m.Source)
		}
	}
	const gate = "[dockersh]\nenableuserconfig\nenableuserentrypoint\n"
	if s = plan(t, alice, "[dockersh]\nentrypoint = /sbin/init", "").Spec(who, "", at); !s.UserFirst || s.Labels[engine.LabelAgent] != "" {
		t.Errorf("the administrator's process 1: %+v", s)
	}
	if s = plan(t, alice, gate, "[dockersh]\nentrypoint = /sbin/init").Spec(who, "", at); s.UserFirst {
		t.Error("the user's own process 1 may become root")
	}
}

func TestPlanWithAHostShellHasNoContainer(t *testing.T) {
	p := plan(t, alice, "[user \"alice\"]\nhostshell = /bin/bash", "")
	if p.HostShell != "/bin/bash" || p.Container != "" {
		t.Errorf("%+v", p)
	}
	if p := plan(t, account.User{Name: "bob", Home: "/home/bob"}, "[user \"alice\"]\nhostshell = /bin/bash", ""); p.HostShell != "" {
		t.Errorf("another user: %+v", p)
	}
}

func TestBannerIsShownAtInteractiveLoginsOnly(t *testing.T) {
	p := plan(t, alice, "[dockersh]\nbanner = \"hello\\nthere\"", "")
	if !slices.Equal(p.Notice, []string{"hello", "there"}) {
		t.Errorf("got %q", p.Notice)
	}
	for _, r := range []Request{{Terminal: false}, {Terminal: true, HasCommand: true}} {
		if q, err := Decide(alice, p.Settings, r); err != nil || q.Notice != nil {
			t.Errorf("%+v: %q %v", r, q.Notice, err)
		}
	}
}

func TestRootOfTheHostIsNotMountedAsAHome(t *testing.T) {
	s := plan(t, alice, "[dockersh]\nmounthome\nmounthometo = /home/x", "").Settings
	s.MountHomeFrom = "/./"
	if p, err := Decide(alice, s, Request{}); err == nil {
		t.Errorf("got %+v", p)
	}
}

func TestContainerNameOfAUserTakesNobodysPlace(t *testing.T) {
	const gate = "[dockersh]\nenableuserconfig\nenableusercontainername\n"
	p := plan(t, alice, gate, "[dockersh]\ncontainername = bob_dockersh")
	if p.Container != "u1001_.bob_dockersh" || p.Owner.Identity != "by=1001" {
		t.Errorf("%s %+v", p.Container, p.Owner)
	}
}

func TestOnlyTerminalSessionsAreRecorded(t *testing.T) {
	s := plan(t, alice, "[dockersh]\nrecord = /var/log/%u.cast", "").Settings
	for terminal, want := range map[bool]string{true: "/var/log/alice.cast", false: ""} {
		if p, err := Decide(alice, s, Request{Terminal: terminal}); err != nil || p.Record != want {
			t.Errorf("terminal %v: %+v, %v, want %q", terminal, p, err, want)
		}
	}
}

func TestEnginesOfASettingsFile(t *testing.T) {
	file, err := config.Parse("rc", []byte("[dockersh]\ndockersocket = /var/run/a\n[group \"f\"]\ndockersocket = /run/a\n[group \"g\"]\ndockersocket = /b\n[user \"u\"]\ndockersocket = ssh://d@h\n[user \"v\"]\ndockersocket = /run/user/%U/docker.sock\n[user \"w\"]\nmemory = 1g\n"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := Engines(file)
	if want := []engine.Address{{Host: "/var/run/a"}, {Host: "/b"}, {Host: "ssh://d@h"}}; err != nil || !slices.Equal(all, want) {
		t.Errorf("%v %v", all, err)
	}
	all, err = EnginesOfUsers(file)
	if want := []engine.Address{{Host: "/run/user/%U/docker.sock"}}; err != nil || !slices.Equal(all, want) {
		t.Errorf("of users: %v %v", all, err)
	}
}
