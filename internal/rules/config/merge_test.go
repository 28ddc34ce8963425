package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/rules/syntax"
)

const layers = `[user "alice"]
usercwd = /user
banner = user
env = U=1
[group "two"]
usercwd = /two
banner = two
shell = /bin/two
[dockersh]
usercwd = /all
banner = all
shell = /bin/all
imagename = all
enableuserconfig
enableuserusercwd
enableuserdockeropt
env = A=1
env = B=2
[group "one"]
usercwd = /one
banner = one
shell = /bin/one
env = G=1
[user "bob"]
imagename = bobs
`

func TestSectionNearerToTheUserWins(t *testing.T) {
	f := parsed(t, layers)
	own := parsedUser(t, "[dockersh]\nusercwd = /own\n")
	for _, c := range []struct {
		name, user string
		groups     []string
		own        *File
		want       string // usercwd banner shell imagename env
	}{
		{"a user without a section", "carol", nil, nil, "/all all /bin/all all A=1|B=2"},
		{"one group", "carol", []string{"one"}, nil, "/one one /bin/one all G=1"},
		{"the later group of the file, whichever comes first elsewhere", "carol", []string{"one", "two"}, nil, "/one one /bin/one all G=1"},
		{"the other group", "carol", []string{"two"}, nil, "/two two /bin/two all A=1|B=2"},
		{"the user wins over the group, though it comes earlier in the file", "alice", []string{"one"}, nil, "/user user /bin/one all U=1"},
		{"the user's own file last", "alice", []string{"one"}, own, "/own user /bin/one all U=1"},
		{"another user", "bob", nil, nil, "/all all /bin/all bobs A=1|B=2"},
		{"names are case-sensitive", "Alice", []string{"ONE"}, nil, "/all all /bin/all all A=1|B=2"},
	} {
		s, err := f.Merge(c.user, memberOf(c.groups...), c.own)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join([]string{s.UserCwd, s.Banner, s.Shell, s.ImageName, strings.Join(s.Env, "|")}, " ")
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestEveryValueHasItsOrigin(t *testing.T) {
	f := parsed(t, layers)
	s := effective(t, f, parsedUser(t, "\n[dockersh]\n  usercwd = /own\n"), "one")
	for key, want := range map[string]string{
		"usercwd": "own:3", "banner": "rc:3", "shell": "rc:22", "imagename": "rc:13",
		"env": "rc:4", "pull": "default", "enableuserusercwd": "rc:15", "enableusercmd": "default",
	} {
		if got := s.Origin(key).String(); got != want {
			t.Errorf("%s comes from %s, want %s", key, got, want)
		}
		if s.IsSet(key) != (want != "default") {
			t.Errorf("IsSet(%s) = %v", key, s.IsSet(key))
		}
		if s.FromUser(key) != strings.HasPrefix(want, "own") {
			t.Errorf("FromUser(%s) = %v", key, s.FromUser(key))
		}
	}
	if o := s.Origin("usercwd"); o != (syntax.Origin{File: "own", Line: 3, Col: 3}) {
		t.Errorf("column: %+v", o)
	}
}

func TestLaterSectionReplacesAWholeArray(t *testing.T) {
	for _, c := range []struct{ user, want string }{
		{"env = C=3", "C=3"},
		{"env = C=3\nenv = D=4", "C=3|D=4"},
		{"env =", ""},
		{"env = C=3\nenv =\nenv = D=4", "D=4"},
		{"pull = never", "A=1|B=2"},
	} {
		f := parsed(t, "[dockersh]\nenv = A=1\nenv = B=2\n[user \"alice\"]\n"+c.user)
		if got := list(effective(t, f, nil), "env"); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.user, got, c.want)
		}
	}
	s := effective(t, parsed(t, "[dockersh]\ncapdrop =\nacceptenv =\n"), nil)
	if len(s.CapDrop)+len(s.AcceptEnv) != 0 || !s.IsSet("capdrop") {
		t.Errorf("the defaults are still there: %q %q", s.CapDrop, s.AcceptEnv)
	}
	s = effective(t, parsed(t, "[dockersh]\nentrypoint = /x\ncmd = \"\"\ncmd = b\n"), nil)
	if !slices.Equal(s.Cmd, []string{"", "b"}) {
		t.Errorf("cmd %q: an empty argument is an argument", s.Cmd)
	}
}

func TestBooleanCanBeUnsetAgain(t *testing.T) {
	f := parsed(t, "[dockersh]\nmounthome\nnonewprivileges = false\n[group \"g\"]\nmounthome = off\nnonewprivileges\n")
	if s := effective(t, f, nil); !s.MountHome || s.NoNewPrivileges {
		t.Error("[dockersh] has no effect")
	}
	if s := effective(t, f, nil, "g"); s.MountHome || !s.NoNewPrivileges {
		t.Error("[group] does not switch back")
	}
}

func TestCmdNeedsAnEntrypoint(t *testing.T) {
	f := parsed(t, "[dockersh]\ncmd = a\n[group \"g\"]\nentrypoint = /x\n[user \"bob\"]\ncmd =\n")
	_, err := f.Merge("alice", memberOf(), nil)
	if got, want := lines(t, err), `2:1: "cmd" needs an entrypoint of your own [set entrypoint to the program that takes these arguments]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	effective(t, f, nil, "g")
	if _, err := f.Merge("bob", nil, nil); err != nil {
		t.Errorf("bob: %v", err)
	}
}

func TestReverseForwardsNeedANetworkAndPortsOfTheirOwn(t *testing.T) {
	for text, want := range map[string]string{
		"reverseforward = 1:1\nreverseforward = 1:2\n": "",
		"network = host\nreverseforward =\n":           "",
		"reverseforward = 1:1\nnetwork = host\n": `2:1: "reverseforward" needs a network of the container's own ` +
			`[remove it, or network = host; with that, the loopback of the host is the container's]`,
		"reverseforward = 1:80\nreverseforward = 2:80\n": `2:1: port 80 of the container stands in two lines [give each service a port of its own inside]`,
		strings.Repeat("reverseforward = 1:1\n", 17):     `2:1: "reverseforward" has more than 16 lines [remove some of them]`,
	} {
		_, err := parsed(t, "[dockersh]\n"+text).Merge("alice", nil, nil)
		if got := lines(t, err); got != want {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestWithoutAFileTheDefaultsHold(t *testing.T) {
	s, err := (*File)(nil).Merge("alice", nil, parsedUser(t, "[dockersh]\nimagename = x\n"))
	if err != nil || s.ImageName != "busybox" {
		t.Errorf("image %q, %v", s.ImageName, err)
	}
}
