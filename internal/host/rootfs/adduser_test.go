package rootfs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	rootLine  = "root:x:0:0::/root:/bin/sh\n"
	aliceLine = "alice:x:1000:1000::/home/alice:/bin/sh"
)

// alice is a user whose home belongs to the user of the test.
func alice(home string) User {
	return User{Passwd: aliceLine, Group: "alice:x:1000:", Home: home, UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), RootGID: uint32(os.Getegid())}
}

func TestUserIsAddedOnce(t *testing.T) {
	dir, r := container(t)
	put(t, dir, "etc/passwd", rootLine[:len(rootLine)-1])
	put(t, dir, "etc/group", "root:x:0:\n")
	for range 2 {
		if err := r.AddUser(alice("/home/a/alice")); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"passwd": rootLine + aliceLine + "\n", "group": "root:x:0:\nalice:x:1000:\n"} {
		if b, err := os.ReadFile(filepath.Join(dir, "etc", name)); err != nil || string(b) != want {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
	if st, err := os.Stat(filepath.Join(dir, "home/a/alice")); err != nil || st.Mode() != os.ModeDir|0o755 {
		t.Errorf("home: %v %v", st, err)
	}
}

func TestUserIsThemselfBesideAnotherOfTheImage(t *testing.T) {
	for _, c := range [][2]string{
		{"ubuntu:x:1000:1000::/home/ubuntu:/bin/sh\nz:x:5:5::/:\n", aliceLine + "\nubuntu:x:1000:1000::/home/ubuntu:/bin/sh\nz:x:5:5::/:\n"},
		{"alice:x:7:7::/x:\nz:x:5:5::/:", "z:x:5:5::/:\n" + aliceLine + "\n"},
		{"alice:x:7:7::/x:\nubuntu:x:1000:1000::/:\n", aliceLine + "\nubuntu:x:1000:1000::/:\n"},
		{"ubuntu:x:1000:1000::/:\n" + aliceLine + "\n", aliceLine + "\nubuntu:x:1000:1000::/:\n"},
		{"alice:x:1000:1000::/elsewhere:/bin/zsh\n", "alice:x:1000:1000::/elsewhere:/bin/zsh\n"},
	} {
		dir, r := container(t)
		put(t, dir, "etc/passwd", rootLine+c[0])
		put(t, dir, "etc/group", "root:x:0:\nalice:x:7:\nubuntu:x:1000:\n")
		for range 2 {
			if err := r.AddUser(alice("")); err != nil {
				t.Fatal(err)
			}
		}
		if b, _ := os.ReadFile(dir + "/etc/passwd"); string(b) != rootLine+c[1] {
			t.Errorf("%q: %q", c[0], b)
		}
		if b, _ := os.ReadFile(dir + "/etc/group"); string(b) != "root:x:0:\nalice:x:7:\nalice-1000:x:1000:\nubuntu:x:1000:\n" {
			t.Errorf("%q", b)
		}
	}
	dir, r := container(t)
	put(t, dir, "etc/passwd", rootLine)
	put(t, dir, "etc/group", "root:x:0:\n")
	if err := r.AddUser(User{Passwd: "toor:*:0:0::/:", Group: "toor:x:0:"}); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(dir + "/etc/passwd"); string(b) != rootLine {
		t.Errorf("%q", b)
	}
}

// As root the owners can be seen.
func TestNothingThatExistsGetsAnotherOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir, r := container(t)
	put(t, dir, "etc/passwd", "")
	put(t, dir, "etc/group", "")
	put(t, dir, "srv/there", "d")
	for home, want := range map[string]uint32{"/srv/there": 0, "/srv/there/new/er": 0, "/srv/new": 1000} {
		u := alice(home)
		u.UID, u.GID = 1000, 1000
		if err := r.AddUser(u); err != nil {
			t.Fatal(err)
		}
		at := home
		if home == "/srv/there/new/er" {
			at = "/srv/there/new"
		}
		st, err := os.Stat(filepath.Join(dir, at))
		if err != nil || st.Sys().(*syscall.Stat_t).Uid != want {
			t.Errorf("%s: %+v %v, want owner %d", at, st, err, want)
		}
	}
	if st, err := os.Stat(filepath.Join(dir, "srv/there/new/er")); err != nil || st.Sys().(*syscall.Stat_t).Uid != 1000 {
		t.Errorf("the home: %+v %v", st, err)
	}
}

func TestAccountFilesThatOthersCanChangeAreLeftAlone(t *testing.T) {
	for what, spoil := range map[string]func(t *testing.T, dir string) error{
		"writable for all": func(t *testing.T, dir string) error { return os.Chmod(dir+"/etc/passwd", 0o666) },
		"a FIFO": func(t *testing.T, dir string) error {
			os.Remove(dir + "/etc/passwd")
			return syscall.Mkfifo(dir+"/etc/passwd", 0o644)
		},
		"missing": func(t *testing.T, dir string) error { return os.Remove(dir + "/etc/passwd") },
		"a link in a directory of the user": func(t *testing.T, dir string) error {
			os.Remove(dir + "/etc/passwd")
			put(t, dir, "else", rootLine)
			put(t, dir, "etc/passwd", "-> /else")
			return os.Chmod(dir+"/etc", 0o777)
		},
	} {
		dir, r := container(t)
		put(t, dir, "etc/passwd", rootLine)
		put(t, dir, "etc/group", "")
		if err := spoil(t, dir); err != nil {
			t.Fatal(err)
		}
		if err := r.AddUser(alice("")); err == nil {
			t.Errorf("%s: no error", what)
		}
		for _, name := range []string{"etc/passwd", "else"} {
			if st, err := os.Lstat(filepath.Join(dir, name)); err != nil || !st.Mode().IsRegular() {
				continue
			}
			if b, _ := os.ReadFile(filepath.Join(dir, name)); string(b) != rootLine {
				t.Errorf("%s: %s is %q", what, name, b)
			}
		}
	}
}

func TestHomeIsNotMadeWhereOthersCanChangeTheNames(t *testing.T) {
	dir, r := container(t)
	put(t, dir, "etc/passwd", "")
	put(t, dir, "etc/group", "")
	put(t, dir, "open/x", "d")
	put(t, dir, "etc/keep", "d")
	put(t, dir, "open/x/link", "-> /etc")
	if err := os.Chmod(filepath.Join(dir, "open"), 0o1777); err != nil {
		t.Fatal(err)
	}
	for _, home := range []string{"/open/alice", "/open/x/link/alice"} {
		if err := r.AddUser(alice(home)); err == nil {
			t.Errorf("%s: no error", home)
		}
		for _, at := range []string{home, "/etc/alice"} {
			if _, err := os.Lstat(filepath.Join(dir, at)); err == nil {
				t.Errorf("%s was made", at)
			}
		}
	}
}

func TestFileIsReplacedWhereOnlyRootCanChangeTheNames(t *testing.T) {
	dir, r := container(t)
	put(t, dir, "etc/passwd", "old")
	put(t, dir, "usr/etc/group", "-> /elsewhere")
	put(t, dir, "elsewhere", "stays")
	put(t, dir, "link", "-> /usr/etc")
	put(t, dir, "etc/.passwd.dockersh", "left over")
	put(t, dir, "open/f", "stays")
	put(t, dir, "etc/d", "d")
	if err := os.Chmod(filepath.Join(dir, "open"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"/etc/passwd": true, "/link/group": true, "/open/f": false, "/etc/d": false, "/none/deep/f": true, "/open/none/f": false, "/elsewhere/f": false} {
		if err := r.ReplaceFile(name, []byte("new"), uint32(os.Getegid())); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]string{"etc/passwd": "new", "usr/etc/group": "new", "none/deep/f": "new", "elsewhere": "stays", "open/f": "stays"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
	if st, err := os.Stat(filepath.Join(dir, "etc/passwd")); err != nil || st.Mode() != 0o644 {
		t.Errorf("%v %v", st, err)
	}
	for _, at := range []string{"etc", "open"} {
		if left, _ := filepath.Glob(filepath.Join(dir, at, ".*")); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
	if err := open(t, "/").ReplaceFile("/proc/x", nil, 0); err == nil {
		t.Error("written in a mount")
	}
}

// The runtime makes what leads to a mount.
func TestHomeThatLeadsToAMountIsGivenToItsUserOnlyIfNothingElseIsInIt(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir, r := container(t)
	put(t, dir, "home/a/work/data", "d")
	put(t, dir, "home/b/work/data", "d")
	put(t, dir, "home/b/letter", "x")
	put(t, dir, "home/c/work/data", "d")
	if err := os.Chown(filepath.Join(dir, "home/c"), 7, 7); err != nil {
		t.Fatal(err)
	}
	for home, want := range map[string]uint32{"/home/a": 1000, "/home/b": 0, "/home/c": 7} {
		if err := r.MakeHome(User{Home: home, Mounted: []string{"work"}, UID: 1000, GID: 1000}); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(filepath.Join(dir, home)); err != nil || st.Sys().(*syscall.Stat_t).Uid != want {
			t.Errorf("%s: %+v %v, want owner %d", home, st, err, want)
		}
		if st, err := os.Stat(filepath.Join(dir, home, "work")); err != nil || st.Sys().(*syscall.Stat_t).Uid != 0 {
			t.Errorf("%s: %+v %v", home, st, err)
		}
	}
}

func TestVolumeAtTheHomeIsGivenToItsUserWhileItIsEmpty(t *testing.T) {
	needsRoot(t)
	dir, r := container(t)
	put(t, dir, "home/new", "d")
	put(t, dir, "home/used/f", "x")
	put(t, dir, "home/theirs", "d")
	if err := os.Chown(dir+"/home/theirs", 7, 7); err != nil {
		t.Fatal(err)
	}
	for home, want := range map[string]uint32{"/home/new": 1000, "/home/used": 0, "/home/theirs": 7} {
		if err := r.MakeHome(User{Home: home, Volume: true, UID: 1000, GID: 1000}); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(filepath.Join(dir, home)); err != nil || st.Sys().(*syscall.Stat_t).Uid != want {
			t.Errorf("%s: %+v %v, want owner %d", home, st, err, want)
		}
	}
}

func TestHomeThatWasMountedIsGivenToItsUserUnlessItLeadsIntoAMount(t *testing.T) {
	needsRoot(t)
	dir, r := container(t)
	put(t, dir, "home/own", "d")
	put(t, dir, "home/used/f", "x")
	put(t, dir, "home/bound", "d")
	put(t, dir, "home/link", "-> /home/bound/empty")
	err := unix.Mount("tmpfs", filepath.Join(dir, "home/bound"), "tmpfs", 0, "mode=755")
	if errors.Is(err, unix.EPERM) {
		t.Skip("this root cannot mount")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(filepath.Join(dir, "home/bound"), unix.MNT_DETACH) })
	put(t, dir, "home/bound/empty", "d")
	put(t, dir, "home/bound/below", "d")
	for home, want := range map[string]uint32{"own": 1000, "used": 0, "bound": 0, "bound/below": 0, "link": 0} {
		if err := r.MakeHome(User{Home: "/home/" + home, WasMounted: true, UID: 1000, GID: 1000}); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(filepath.Join(dir, "home", strings.Replace(home, "link", "bound/empty", 1))); err != nil || st.Sys().(*syscall.Stat_t).Uid != want {
			t.Errorf("%s: %+v %v, want owner %d", home, st, err, want)
		}
	}
}
