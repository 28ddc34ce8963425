package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/rules/syntax"
	"github.com/dockersh/dockersh/internal/rules/template"
)

// expanded returns the settings of one file for one user.
func expanded(t *testing.T, text string, v template.Vars) *Settings {
	t.Helper()
	s, err := effective(t, parsed(t, text), nil).Expand(v)
	if err != nil {
		t.Fatalf("Expand(%+v): %v", v, err)
	}
	return s
}

func TestEverySequenceIsReplacedInEveryString(t *testing.T) {
	s := expanded(t, `[dockersh]
imagename = img:%u
mounthomefrom = /srv/%u
mounthometo = %h
usercwd = %h/%u/%%
containerusername = %U:%G
shell = %s
entrypoint = /e/%U
cmd = %u
cmd = "%s %% %G"
env = WHO=%u-%u
volume = /srv/%u:/data
hostname = h%U
banner = hello %u\n
hostshell = %s
dockeropt = -v '/srv/a b/%u:/x'
`, alice())
	for _, c := range []struct{ got, want string }{
		{s.ImageName, "img:alice"}, {s.MountHomeFrom, "/srv/alice"}, {s.MountHomeTo, "/home/alice"},
		{s.UserCwd, "/home/alice/alice/%"}, {s.ContainerUserName, "1001:100"}, {s.Shell, "/bin/bash"},
		{s.Entrypoint, "/e/1001"}, {strings.Join(s.Cmd, "|"), "alice|/bin/bash % 100"},
		{s.Env[0], "WHO=alice-alice"}, {s.Volume[0], "/srv/alice:/data"}, {s.Hostname, "h1001"},
		{s.Banner, "hello alice\n"}, {s.HostShell, "/bin/bash"}, {strings.Join(s.DockerOpt[0], "|"), "-v|/srv/a b/alice:/x"},
		{s.ContainerName, "alice_dockersh"}, {list(s, "cmd"), "alice|/bin/bash % 100"}, {s.Identity(), "u=alice"},
		{list(s, "dockeropt"), "-v '/srv/a b/alice:/x'"}, {list(s, "containername"), "alice_dockersh"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if s.Origin("cmd").String() != "rc:9" || !s.IsSet("cmd") {
		t.Errorf("the origin is lost: %v", s.Origin("cmd"))
	}
}

func TestExpandReturnsACopyAndExpandsOnce(t *testing.T) {
	before := effective(t, parsed(t, "[dockersh]\nbanner = %u\n"), nil)
	v := alice()
	v.User = "%h"
	after, err := before.Expand(v)
	if err != nil || after.Banner != "%h" || before.Banner != "%u" {
		t.Fatalf("banner %q, template %q, %v", after.Banner, before.Banner, err)
	}
	again, err := after.Expand(alice())
	if err != nil || again.Banner != "%h" {
		t.Errorf("the user's percent sign was expanded: %q, %v", again.Banner, err)
	}
}

func TestUserNameDoesNotTurnOneWordIntoTwo(t *testing.T) {
	v := alice()
	v.User = "a b' --privileged"
	s, err := effective(t, parsed(t, "[dockersh]\ncontainerusername = 0\ndockeropt = --label u=%u\ndockeropt = --label=%u\n"), nil).Expand(v)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.DockerOpt[0], []string{"--label", "u=a b' --privileged"}) || !slices.Equal(s.DockerOpt[1], []string{"--label=a b' --privileged"}) {
		t.Errorf("words %q", s.DockerOpt)
	}
}

func TestSettingThatDoesNotFitTheUserIsReportedWithItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, text string
		change     func(*template.Vars)
		want       string
	}{
		{"a home that is not a path", "mounthomefrom = %h", func(v *template.Vars) { v.Home = "none" },
			`default settings: mounthometo: "none" is not an absolute path|default settings: usercwd: "none" is not an absolute path|rc:2:17: mounthomefrom: "none" is not an absolute path`},
		{"no shell", "shell = %s", func(v *template.Vars) { v.Shell = "" }, `rc:2:9: shell: "" is not an absolute path`},
		{"a user name that leaves the directory", "mounthomefrom = /srv/%u", func(v *template.Vars) { v.User = ".." }, `rc:2:17: mounthomefrom: the user name ".." may not be part of this`},
		{"a user name with a slash", "containerusername = root\nvolume = /srv/%u:/x", func(v *template.Vars) { v.User = "a/../b" }, `rc:3:10: volume: the user name "a/../b" may not be part of this`},
		{"a recording that leaves the directory", "record = /var/log/.%u/x", func(v *template.Vars) { v.User = "." }, `rc:2:10: record: the user name "." may not be part of this`},
		{"a home that leaves the directory", "record = /var/log%h/x", func(v *template.Vars) { v.Home = "/a/../.." }, `rc:2:10: record: "/var/log/a/../../x" has .. in it`},
		{"a user name with a colon", "containerusername = root\ndockeropt = -v /srv/%u:/x", func(v *template.Vars) { v.User = "a:b" }, `rc:3:13: dockeropt: the user name "a:b" may not be part of this`},
		{"a user who is called 0", "", func(v *template.Vars) { v.User = "0" }, `default settings: containerusername: the user name "0" looks like a number`},
		{"a host name", "hostname = %u", func(v *template.Vars) { v.User = "a@b" }, `rc:2:12: hostname: "a@b" is not a host name`},
		{"the second element of an array", "env = A=1\nenv = %u=1", func(v *template.Vars) { v.User = "a.b" }, `rc:3:7: env: "a.b" is not the name of a variable`},
		{"a line end", "", func(v *template.Vars) { v.User = "a\nb" }, `default settings: the user name of "a\nb" has characters in it that are not text`},
		{"a home with an escape", "", func(v *template.Vars) { v.Home = "/\x1b" }, `default settings: the home directory of "alice" has characters in it that are not text`},
		{"bytes", "", func(v *template.Vars) { v.Shell = "/\xff" }, `default settings: the shell of "alice" has characters in it that are not text`},
		{"no name", "", func(v *template.Vars) { v.User = "" }, `default settings: the user has no name`},
	} {
		v := alice()
		c.change(&v)
		_, err := effective(t, parsed(t, "[dockersh]\n"+c.text+"\n"), nil).Expand(v)
		es, ok := err.(syntax.Errors)
		if !ok {
			t.Errorf("%s: error %v", c.name, err)
			continue
		}
		var lines []string
		for _, e := range es {
			lines = append(lines, e.Error())
		}
		if got := strings.Join(lines, "|"); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestUserNamesOfDirectoryServicesWork(t *testing.T) {
	for _, name := range []string{`DOM\alice`, "alice@corp.example", "-x", "a$", "ülrich", "first last"} {
		v := alice()
		v.User = name
		text := "[dockersh]\n"
		if strings.ContainsAny(name, " ") || name[0] == '-' {
			text += "containerusername = %U\n"
		}
		s := expanded(t, text, v)
		if !validName(s.ContainerName) {
			t.Errorf("%s becomes %s", name, s.ContainerName)
		}
	}
}
