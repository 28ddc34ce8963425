package settings

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
)

var alice = account.User{Name: "alice", UID: 1001, GID: 1001, Home: "/home/alice"}

func parse(t *testing.T, text string) *config.File {
	t.Helper()
	f, err := config.Parse("rc", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func known(answer string) func() (string, error) {
	return func() (string, error) { return answer, nil }
}

func TestSettingsOfAUserComeFromAllSectionsThatMeanThem(t *testing.T) {
	f := parse(t, "[dockersh]\nimagename = all\nmemory = 1g\n[group \"dev\"]\nimagename = dev\n[group \"ops\"]\nimagename = ops\n[user \"alice\"]\nmemory = 2g")
	s, err := For(f, Login{User: alice, MemberOf: func([]string) ([]string, error) { return []string{"dev"}, nil }})
	if err != nil || s.Settings.ImageName != "dev" || s.Settings.Memory != "2g" || s.Settings.ContainerName != "alice_dockersh" {
		t.Errorf("%+v %v", s, err)
	}
	if s, err := For(nil, Login{User: alice}); err != nil || s.Settings.ImageName != "busybox" {
		t.Errorf("without a file: %+v %v", s, err)
	}
}

func TestUserFileIsReadOnlyWhereTheSettingsAllowIt(t *testing.T) {
	const gates = "[dockersh]\nenableuserconfig\nenableuserimagename\nimagename = theirs-%u\n"
	own := func(string) ([]byte, error) { return []byte("[dockersh]\nimagename = own\n"), nil }
	s, err := For(parse(t, gates), Login{User: alice, UserFile: own})
	if err != nil || s.Settings.ImageName != "own" || s.Admins.ImageName != "theirs-alice" || s.Written.ImageName != "own" {
		t.Errorf("%+v %v", s, err)
	}
	read := false
	s, err = For(nil, Login{User: alice, UserFile: func(string) ([]byte, error) { read = true; return nil, nil }})
	if read || err != nil || s.Admins != s.Settings {
		t.Errorf("without the gate: read %v, %v", read, err)
	}
	// What cannot be had is ignored as a whole, and locks nobody out.
	const open = gates + "enableuserusercwd\nenableusermounthome\nenableusermounthomefrom\n"
	for own, why := range map[string]string{
		"":                             "is a symbolic link",
		"[dockersh":                    "closing bracket",
		"[dockersh]\nx = 1":            "unknown setting",
		"[dockersh]\nusercwd = x":      "usercwd",
		"[dockersh]\nmemory = 1g":      "only the administrator can set it",
		"[dockersh]\nshell = /bin/x":   "shell",
		"[dockersh]\nmounthomefrom=%s": "mounthomefrom",
		"[dockersh]\nusercwd = /%i":    "asks for the client's address",
	} {
		s, err := For(parse(t, open), Login{User: alice,
			UserFile: func(string) ([]byte, error) {
				if own == "" {
					return nil, UserFileError(alice, "is a symbolic link")
				}
				return []byte("[dockersh]\nimagename = own\n" + own), nil
			},
			Address: func() (string, error) { return "", errors.New("none") },
		})
		if err != nil || s.Settings.ImageName != "theirs-alice" || s.Settings != s.Admins || !strings.Contains(s.Ignored, why) {
			t.Errorf("%q: %+v %v", own, s, err)
		}
	}
	if s, err := For(parse(t, gates), Login{User: alice, UserFile: own}); err != nil || !s.IgnoreUserFile(errors.New("x")) || s.Settings != s.Admins || s.IgnoreUserFile(nil) {
		t.Errorf("%+v %v", s, err)
	}
	// Settings of the administrator that do not fit the user need not stop the user's own.
	s, err = For(parse(t, "[dockersh]\nenableuserconfig\nenableusermounthomefrom\nmounthomefrom = %s\n"),
		Login{User: alice, UserFile: func(string) ([]byte, error) { return []byte("[dockersh]\nmounthomefrom = /mnt\n"), nil }})
	if err != nil || s.Admins != nil || s.Settings.MountHomeFrom != "/mnt" {
		t.Errorf("%+v %v", s, err)
	}
}

func TestUserFileIsThatOfTheHomeInside(t *testing.T) {
	const gates = "[dockersh]\nenableuserconfig\nenableuserusercwd\nenableusermounthomefrom\nenableusermounthome\n"
	for text, want := range map[string]string{
		"":                                       "",
		"mounthome\n":                            "",
		"mounthome\nmounthomefrom = /home/%u/\n": "",
		"mounthome\nmounthomefrom = /srv/homes/%u\n": "/srv/homes/alice",
		"mounthomefrom = /srv/homes/%u\n":            "",
		"mounthome\nmounthomefrom = /srv/homes/%i\n": "", // an address that nobody knows
	} {
		got := "not asked"
		_, _ = For(parse(t, gates+text), Login{User: alice,
			UserFile: func(dir string) ([]byte, error) { got = dir; return []byte("[dockersh]\nmounthomefrom = /etc\n"), nil },
			Address:  func() (string, error) { return "", errors.New("none") },
		})
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestFactsOfTheLoginAreAskedOnlyWhereASettingNeedsThem(t *testing.T) {
	var asked []string
	ask := func(what, answer string) func() (string, error) {
		return func() (string, error) { asked = append(asked, what); return answer, nil }
	}
	for _, c := range []struct {
		text, name string
		asked      []string
	}{
		{"", "alice_dockersh", nil},
		{"containername = c-%i", "c-192.0.2.7", []string{"address"}},
		{"containername = c-%k-%x", "c-K-s1", []string{"key"}},
		{"containername = c-%i-%k\nhostshell = /bin/sh", "c-none-none", nil},
	} {
		asked = nil
		s, err := For(parse(t, "[dockersh]\n"+c.text), Login{User: alice, Address: ask("address", "192.0.2.7"), Key: ask("key", "K"), Session: "s1"})
		if err != nil || s.Settings.ContainerName != c.name || !slices.Equal(asked, c.asked) || (s.Address != "") != slices.Contains(asked, "address") || (s.Key != "") != slices.Contains(asked, "key") {
			t.Errorf("%q: %+v, asked %q, %v", c.text, s, asked, err)
		}
	}
}

func TestQuestionWithoutAnAnswerRefusesTheLogin(t *testing.T) {
	none := errors.New("no answer")
	unknown := func() (string, error) { return "", none }
	for _, c := range []struct {
		text string
		l    Login
		code usererr.Code
		want string
	}{
		{"[group \"g\"]", Login{MemberOf: func([]string) ([]string, error) { return nil, none }}, usererr.Unavailable, "the name service of this host does not answer"},
		{"[group \"g\"]", Login{MemberOf: func([]string) ([]string, error) { return nil, account.ErrUnknown }}, usererr.Denied, "this host does not know you"},
		{"[group \"g\"]\n [group \"lab\"]", Login{MemberOf: func([]string) ([]string, error) { return nil, &account.NoGroupError{Names: []string{"lab"}} }}, usererr.Settings,
			"rc:2:3: no name service of this host finds the group \"lab\""},
		{"[dockersh]\ncontainername = x%i", Login{Address: unknown}, usererr.Denied, "the setting containername asks for the client's address"},
		{"[dockersh]\nrecord = /var/%k", Login{Address: known("192.0.2.1"), Key: unknown}, usererr.Denied, "the setting record asks for the key"},
		{"[dockersh]\nmounthomefrom = %s", Login{}, usererr.Settings, "rc:2:17: mounthomefrom"},
	} {
		c.l.User = alice
		_, err := For(parse(t, c.text), c.l)
		var e *usererr.Error
		if !errors.As(err, &e) || e.Code != c.code || !strings.HasPrefix(e.Text, c.want) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}

func TestWrittenAsksNoNameService(t *testing.T) {
	f := parse(t, "[dockersh]\nimagename = %u\n[group \"g\"]\nimagename = g\n[user \"u\"]\nimagename = u")
	for _, c := range [][3]string{{"", "", "%u"}, {"", "g", "g"}, {"u", "g", "u"}, {"x", "", "%u"}} {
		if s, err := Written(f, c[0], c[1]); err != nil || s.ImageName != c[2] {
			t.Errorf("%q: %+v %v", c, s, err)
		}
	}
}

// Break-glass: the administrator gets in while the directory is down. Nothing may be
// removed because of what these settings lack.
func TestHostshellOfTheUsersOwnSectionNeedsNoGroups(t *testing.T) {
	down := func([]string) ([]string, error) { return nil, account.ErrUnavailable }
	const groups = "[group \"g\"]\nhostshell =\n"
	s, err := For(parse(t, groups+"[user \"alice\"]\nhostshell = /bin/bash\n"), Login{User: alice, MemberOf: down})
	if err != nil || s.Settings.HostShell != "/bin/bash" || s.Admins != nil {
		t.Errorf("%+v %v", s, err)
	}
	for _, text := range []string{"[dockersh]\nhostshell = /bin/bash\n" + groups, groups + "[user \"alice\"]\nhostshell = \"\"\n", groups + "[user \"bob\"]\nhostshell = /bin/bash\n", groups + "[user \"alice\"]\nmemory = 1g\n"} {
		if s, err := For(parse(t, text), Login{User: alice, MemberOf: down}); err == nil {
			t.Errorf("%q: %+v", text, s)
		}
	}
}
