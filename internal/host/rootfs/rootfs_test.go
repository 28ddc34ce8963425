package rootfs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// container makes the root of a container whose root is the user of the test.
func container(t *testing.T) (dir string, r *Root) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir, open(t, dir)
}

func open(t *testing.T, dir string) *Root {
	t.Helper()
	r, err := Open(dir, uint32(os.Geteuid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// put writes a file below dir; "d" for a directory, "-> x" for a link to x.
func put(t *testing.T, dir, name, text string) {
	t.Helper()
	at := filepath.Join(dir, name)
	err := os.MkdirAll(filepath.Dir(at), 0o755)
	if to, link := strings.CutPrefix(text, "-> "); err == nil && link {
		err = os.Symlink(to, at)
	} else if err == nil && text == "d" {
		err = os.MkdirAll(at, 0o755)
	} else if err == nil {
		err = os.WriteFile(at, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestFileIsTheOwnOneOnlyWithoutALinkOnTheWay(t *testing.T) {
	dir, r := container(t)
	own := filepath.Join(t.TempDir(), "program")
	put(t, "/", own, "ours")
	put(t, dir, "other/program", "ours")
	for _, way := range []string{"plain/program", "up/program"} {
		put(t, dir, filepath.Dir(way), "d")
		if err := os.Link(own, filepath.Join(dir, way)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "link", "-> plain")
	put(t, dir, "last", "-> plain/program")
	put(t, dir, "host", "-> "+own)
	put(t, dir, "magic", "-> /proc/self/root"+own)
	for name, want := range map[string]bool{
		"/plain/program": true, "plain/program": true, "/up/../plain/program": true,
		"/link/program": false, "/last": false, "/host": false, "/magic": false, "/other/program": false, "/none": false, "/plain/program/x": false, "/plain": false,
	} {
		if is, err := r.Has(name, own); is != want || err != nil {
			t.Errorf("%s: %v %v", name, is, err)
		}
	}
	if _, err := r.Has("/plain/program", own+"x"); err == nil {
		t.Error("without a file of our own")
	}
}

// Mounts can be made by root alone: these are the kernel's.
func TestMountIsInPlaceUnlessAUserCanHaveLedItAway(t *testing.T) {
	root := func(owner uint32) *Root {
		r, err := Open("/", owner)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		return r
	}
	here, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	put(t, here, "link", "-> /proc")
	put(t, here, "dir", "d")
	const nobody = 65534 // where the container's root has this number, others can change /
	for _, c := range []struct {
		owner uint32
		name  string
		want  bool
	}{
		{nobody, "/proc", true},
		{nobody, "/etc", false},
		{nobody, "/missing", false},
		{nobody, here + "/link", false},
		{nobody, here + "/dir", false},
		{0, "/etc", true},
		{0, "/missing", true},
	} {
		if is, err := root(c.owner).IsInPlace(c.name); is != c.want || err != nil {
			t.Errorf("%s, where %d is root: %v %v", c.name, c.owner, is, err)
		}
	}
}

func TestLinkIsFollowedInsideOfTheRootWhereRootMadeIt(t *testing.T) {
	dir, r := container(t)
	put(t, dir, "usr/etc/f", "x")
	put(t, dir, "abs", "-> /usr/etc")
	put(t, dir, "up", "-> ../../../../usr/etc")
	put(t, dir, "deep/down", "-> ../abs")
	put(t, dir, "loop", "-> loop")
	put(t, dir, "open/link", "-> /usr")
	put(t, dir, "sticky/link", "-> /usr")
	put(t, dir, "open/real/below/link", "-> /usr")
	for name, mode := range map[string]os.FileMode{"open": 0o777, "sticky": 0o777 | os.ModeSticky} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]error{
		"/abs/f": nil, "/up/f": nil, "/deep/down/f": nil, "/usr/etc/f": nil,
		"/loop/f": unix.ELOOP, "/open/link/etc/f": unix.ELOOP, "/sticky/link/etc/f": unix.ELOOP, "/open/real/below/link/etc/f": unix.ELOOP,
		"/usr/etc/f/g": unix.ENOTDIR,
	} {
		w, err := r.walk(name, 0)
		if err != want {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if err != nil {
			continue
		}
		var st unix.Stat_t
		if err := unix.Stat(filepath.Join(dir, "usr/etc/f"), &st); err != nil || w.rest != "" || st.Ino != w.st.Ino {
			t.Errorf("%s ends elsewhere: %q", name, w.rest)
		}
		_ = unix.Close(w.fd)
	}
	if w, err := r.walk("/usr/new/er", 0); err != nil || w.rest != "new/er" {
		t.Errorf("missing names: %q %v", w.rest, err)
	}
	if _, err := open(t, "/").walk("/proc/1", unix.RESOLVE_NO_XDEV); err != unix.EXDEV {
		t.Errorf("over a mount: %v", err)
	}
}

func TestWayIsFixedWhereRootAloneCanChangeIt(t *testing.T) {
	dir, r := container(t)
	put(t, dir, "a/b/c", "x")
	put(t, dir, "open/c", "x")
	put(t, dir, "link", "-> /a/b")
	put(t, dir, "away", "-> /open")
	if err := os.Chmod(filepath.Join(dir, "open"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"/a/b/c": true, "/a/b/new/x": true, "/new": true, "/link/c": true, "/open": true,
		"/open/c": false, "/open/new": false, "/away/c": false, "/a/b/c/d": false,
	} {
		if is, err := r.IsFixed(name); is != want || err != nil {
			t.Errorf("%s: %v %v", name, is, err)
		}
		// The directory itself, and not only its name, can be changed by others.
		if is, err := r.OnlyRootChanges(name); is != (want && name != "/open") || err != nil {
			t.Errorf("%s, with what is there: %v %v", name, is, err)
		}
	}
}

func TestNoDescriptorIsLeftOpen(t *testing.T) {
	dir, r := container(t)
	put(t, dir, "a/b/link", "-> /a/c")
	put(t, dir, "a/c/f", "x")
	put(t, dir, "etc/passwd", "")
	put(t, dir, "etc/group", "")
	count := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	before := count()
	for _, name := range []string{"/a/b/link/f", "/a/b/link/none/x", "/a/c/f/g", "/none"} {
		_, _ = r.IsInPlace(name)
		_, _ = r.IsFixed(name)
		_, _ = r.Has(name, dir)
		_ = r.AddUser(User{Passwd: "u:x:1:1::/:", Group: "u:x:1:", Home: name, UID: 1, GID: 1})
	}
	if now := count(); now != before {
		t.Errorf("%d descriptors are open, before %d", now, before)
	}
}
