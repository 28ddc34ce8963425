package account

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/host/seen"
)

// directory is a host with the groups "root" and "local" in its own file, and a directory
// that a shell script stands in for: the file "down" says that it is down, the file
// "calls" has a line for each run of getent.
type directory struct {
	testing.TB
	dir string
	db  *DB
}

func newDirectory(t testing.TB) *directory {
	d := &directory{t, t.TempDir(), New(time.Minute)}
	d.write("nsswitch.conf", "group: files [NOTFOUND=continue UNAVAIL=continue] ldap systemd\n")
	d.write("group", "root:x:0:\nlocal:x:500:listed\nlocal:x:501:second\n+x:::\n")
	d.write("passwd", "")
	d.write("getent", `#!/bin/sh
cd `+d.dir+`; echo "$*" >>calls
case "$*" in
"initgroups -- alice") if [ -e down ]; then echo "alice 7"; else echo "alice 7 500 900"; fi ;;
"initgroups -- "*) echo "$3" ;;
"-s group:ldap "*" group -- root" | "-s passwd:ldap "*" passwd -- root") [ ! -e down ] || exit 2; echo root:x:0: ;;
"-s "*) exit 2 ;;
"passwd -- alice") exit 2 ;;
"group -- "*) shift 2; found=0
	for name; do case $name in
	students) [ -e down ] || { echo students:x:900:; found=$((found+1)); } ;;
	listing) [ -e down ] || { echo listing:x:901:bob,carol; found=$((found+1)); } ;;
	local) echo local:x:500:listed; found=$((found+1)) ;;
	Students) echo students:x:900:; found=$((found+1)) ;;
	esac; done; [ $found = $# ] || exit 2 ;;
esac
`)
	if err := os.Chmod(filepath.Join(d.dir, "getent"), 0o755); err != nil {
		t.Fatal(err)
	}
	d.forget()
	return d
}

func (d *directory) write(name, text string) {
	d.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.Fatal(err)
	}
}

// forget replaces the DB by a new one, as in a process that starts.
func (d *directory) forget() {
	memory := d.db.KnownServices
	d.db = New(time.Minute)
	d.db.KnownServices = memory
	in := func(name string) string { return filepath.Join(d.dir, name) }
	d.db.getentPath, d.db.passwdPath, d.db.groupPath, d.db.switchPath = in("getent"), in("passwd"), in("group"), in("nsswitch.conf")
}

// calls returns how often getent ran since the last call.
func (d *directory) calls() int {
	b, _ := os.ReadFile(filepath.Join(d.dir, "calls"))
	d.write("calls", "")
	return strings.Count(string(b), "\n")
}

func (d *directory) expect(user User, groups []string, want ...string) {
	d.Helper()
	if got, err := d.db.MemberOf(d.Context(), user, groups); err != nil || !slices.Equal(got, want) {
		d.Errorf("%s in %q: %q, %v; want %q", user.Name, groups, got, err, want)
	}
}

func TestMembersAreListedOrHaveThePrimaryGroupOrAreInItForInitgroups(t *testing.T) {
	for _, nss := range []string{"group: files ldap", "group: files [SUCCESS=merge] ldap", "group: sss", "initgroups: ldap\ngroup: files", ""} {
		d := newDirectory(t)
		if nss = strings.ReplaceAll(nss, "sss", "ldap files"); nss != "" {
			d.write("nsswitch.conf", nss+"\n")
		}
		all := []string{"local", "students", "listing"}
		d.expect(User{Name: "alice", GID: 7}, all, "local", "students")
		d.expect(User{Name: "bob", GID: 7}, all, "listing")
		d.expect(User{Name: "listed", GID: 901}, all, "local", "listing")
		d.expect(User{Name: "second", GID: 501}, all)
		d.expect(User{Name: "second", GID: 501}, nil)
	}
}

// getent(1) succeeds without the directory's part of the answer.
func TestPartOfAnAnswerIsNoAnswer(t *testing.T) {
	d, alice := newDirectory(t), User{Name: "alice", GID: 7}
	d.expect(alice, []string{"local"}, "local")
	d.write("down", "")
	d.expect(alice, []string{"local"}, "local") // remembered
	d.db.groupsByName.forget()
	d.db.gidsOfUser.forget()
	var lost *NoGroupError
	for _, groups := range [][]string{{"local", "students"}, {"students", "listing"}} {
		if in, err := d.db.MemberOf(t.Context(), alice, groups); !errors.As(err, &lost) || !slices.Contains(lost.Names, "students") {
			t.Errorf("a group of the directory: %q %v", in, err)
		}
	}
	// The directory puts alice into a group of the host's own file.
	if in, err := d.db.MemberOf(t.Context(), alice, []string{"local"}); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "ldap") {
		t.Errorf("a member whom only the directory knows: %q %v", in, err)
	}
	// This much is known without it.
	d.expect(User{Name: "listed", GID: 7}, []string{"local"}, "local")
	d.expect(User{Name: "carol", GID: 500}, []string{"local"}, "local")
	if silent, err := d.db.Silent(t.Context()); err != nil || !slices.Equal(silent, []SilentService{{"ldap", true, "group: files [NOTFOUND=continue UNAVAIL=continue] systemd"}}) {
		t.Errorf("silent: %+v %v", silent, err)
	}
	if err := os.Remove(filepath.Join(d.dir, "down")); err != nil {
		t.Fatal(err)
	}
	d.expect(alice, []string{"local", "students"}, "local", "students")
}

func TestServiceThatAnsweredToAnotherProcessMustAnswer(t *testing.T) {
	d, alice := newDirectory(t), User{Name: "alice", GID: 7}
	d.db.KnownServices = seen.Dir(t.TempDir())
	d.write("down", "")
	d.expect(alice, []string{"local"}) // it never answered: it may not be in use
	if err := os.Remove(filepath.Join(d.dir, "down")); err != nil {
		t.Fatal(err)
	}
	d.forget()
	d.expect(alice, []string{"local"}, "local")
	d.write("down", "")
	d.forget()
	if in, err := d.db.MemberOf(t.Context(), alice, []string{"local"}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("%q %v", in, err)
	}
}

func TestGroupHasExactlyTheNameThatTheServiceWrites(t *testing.T) {
	d := newDirectory(t)
	for _, name := range []string{"Students", "900", "", "a\nb", "nosuch", "-s", "+x"} {
		var lost *NoGroupError
		if err := d.db.FindGroups(t.Context(), []string{"students", name}); !errors.As(err, &lost) || !slices.Equal(lost.Names, []string{name}) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Each process costs a login a millisecond.
func TestGroupsOfTheHostsOwnFileNeedNoProcess(t *testing.T) {
	d, alice := newDirectory(t), User{Name: "alice", GID: 7}
	d.write("nsswitch.conf", "group: files systemd\n")
	d.expect(User{Name: "listed", GID: 7}, []string{"local"}, "local")
	if n := d.calls(); n != 0 {
		t.Errorf("a listed member: %d", n)
	}
	d.expect(alice, []string{"local"}, "local")
	if n := d.calls(); n != 1 {
		t.Errorf("another user: %d", n)
	}
	d.write("nsswitch.conf", "group: files ldap\n")
	d.forget()
	d.expect(alice, []string{"local", "students", "listing"}, "local", "students")
	if n := d.calls(); n != 3 { // the groups, the user's numbers, the directory
		t.Errorf("with a directory: %d", n)
	}
	d.expect(alice, []string{"local", "students", "listing"}, "local", "students")
	if n := d.calls(); n != 0 {
		t.Errorf("again: %d", n)
	}
}

func TestLineOfTheNameServiceSwitchIsReadWithItsActions(t *testing.T) {
	for _, c := range []struct{ line, words, without string }{
		{"group: files sss # x", "files|sss", "files"},
		{"group:files [SUCCESS=merge] sss [ NOTFOUND=return  UNAVAIL=continue ] ldap", "files|[SUCCESS=merge]|sss|[NOTFOUND=return UNAVAIL=continue]|ldap", "files|[SUCCESS=merge]|ldap"},
		{"group: files[SUCCESS=merge]sss", "files|[SUCCESS=merge]|sss", "files|[SUCCESS=merge]"},
		{"group: sss [files", "sss", ""},
		{"group:", "", ""},
		{"passwd: files", "", ""},
	} {
		words, _ := switchLine("# group: x\n"+c.line+"\n", "group")
		without := withoutService(words, "sss")
		if strings.Join(words, "|") != c.words || strings.Join(without, "|") != c.without {
			t.Errorf("%q: %q, %q", c.line, words, without)
		}
	}
}

// A container of a user whom only the directory knows must not be taken for that of an
// account that is gone.
func TestUserIsUnknownOnlyIfEveryServiceAnswers(t *testing.T) {
	d := newDirectory(t)
	d.write("passwd", "root:x:0:0::/root:/bin/sh\n")
	d.write("nsswitch.conf", "passwd: files ldap\n")
	for _, c := range []struct {
		down, certain bool
		names         []string
	}{{false, true, []string{"root", "alice"}}, {true, false, []string{"root", "alice"}}, {true, true, []string{"root"}}, {true, true, nil}} {
		_ = os.Remove(filepath.Join(d.dir, "down"))
		if c.down {
			d.write("down", "")
		}
		known, certain, err := d.db.Known(t.Context(), c.names)
		if err != nil || certain != c.certain || len(known) != min(len(c.names), 1) {
			t.Errorf("%+v: %v %v %v", c, known, certain, err)
		}
	}
}
