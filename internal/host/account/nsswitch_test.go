package account

import (
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/host/passwd"
)

func TestLocalFileAgreesWithGetent(t *testing.T) {
	d := New(0)
	text, err := os.ReadFile(passwdFile)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, one := range passwd.Users(text) {
		for key, is := range map[string]func(User) bool{
			one.Name:                 func(u User) bool { return u.Name == one.Name },
			passwd.FormatID(one.UID): func(u User) bool { return u.UID == one.UID },
		} {
			u, ok := d.local(is)
			if !ok {
				t.Skip("the name service of this host asks another source first")
			}
			if want, err := d.user(t.Context(), key); err != nil || u != want {
				t.Errorf("%s: %+v, getent has %+v %v", key, u, want, err)
			}
			found++
		}
	}
	if found < 2 {
		t.Errorf("only %d", found)
	}
}

func TestFirstEntryOfAFileCounts(t *testing.T) {
	const passwd = "# a comment\n\n+::::::\n+a:x:5:5::/plus:/bin/sh\n-a:x:5:5::/minus:/bin/sh\nnonsense\na:x:05x:5::/:\na:x:5:5::/first:/bin/sh\nb:x:5:5::/second:\n"
	if u, ok := findUser(strings.NewReader(passwd), func(u User) bool { return u.UID == 5 }); !ok || u.Home != "/first" {
		t.Errorf("%+v %v", u, ok)
	}
	if u, ok := findUser(strings.NewReader(passwd), func(u User) bool { return u.UID == 6 }); ok {
		t.Errorf("%+v", u)
	}
	long := "c:x:7:7:" + strings.Repeat("x", 1<<20) + ":/:\n" + passwd
	if u, ok := findUser(strings.NewReader(long), func(u User) bool { return u.UID == 5 }); ok {
		t.Errorf("a user after a line that is too long: %+v", u)
	}
}

func TestLocalFileIsReadOnlyIfTheNameServiceStopsThere(t *testing.T) {
	for text, want := range map[string]bool{
		"passwd: files\n": true,
		"# passwd: ldap\n\npasswd:\tfiles systemd # x\n": true,
		"passwd:files sss\ngroup: sss files\n":           true,
		"passwd: sss files\n":                            false,
		"passwd: compat\n":                               false,
		"passwd: files [SUCCESS=continue] sss\n":         false,
		"passwd: # files\n":                              false,
		"passwd:\n":                                      false,
		"passwd_compat: files\n":                         false,
		"shadow: files\n":                                false,
		"":                                               false,
	} {
		if filesFirst(text, "passwd") != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
