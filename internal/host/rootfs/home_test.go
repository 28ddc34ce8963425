package rootfs

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listing returns what is below a directory: owner, mode and contents of each.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		text := st.Mode().String()
		switch {
		case st.Mode().IsRegular():
			b, _ := os.ReadFile(p)
			text += " " + string(b)
		case st.Mode()&os.ModeSymlink != 0:
			to, _ := os.Readlink(p)
			text += " " + to
		}
		if st.Sys().(*syscall.Stat_t).Uid == 1000 {
			text += " theirs"
		}
		rel, _ := filepath.Rel(dir, p)
		all[rel] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
}

func TestNewHomeStartsFromTheSkeleton(t *testing.T) {
	needsRoot(t)
	dir, r := container(t)
	put(t, dir, "etc/skel/.profile", "hello")
	put(t, dir, "etc/skel/bin/run", "#!")
	put(t, dir, "etc/skel/link", "-> /etc/shadow")
	put(t, dir, "etc/skel/open", "not only root's")
	put(t, dir, "etc/shadow", "secret")
	for name, mode := range map[string]os.FileMode{"bin/run": 0o755, "open": 0o666} {
		if err := os.Chmod(filepath.Join(dir, "etc/skel", name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(dir+"/etc/skel/fifo", 0o644); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "srv/homes", "d")
	var logins sync.WaitGroup // at once
	for range 8 {
		logins.Go(func() {
			if err := r.NewHome("/srv/homes/alice", "/etc/skel", 1000, 1000); err != nil {
				t.Error(err)
			}
		})
	}
	logins.Wait()
	want := map[string]string{
		".": "drwxr-xr-x", "alice": "drwx------ theirs", "alice/.profile": "-rw-r--r-- hello theirs",
		"alice/bin": "drwxr-xr-x theirs", "alice/bin/run": "-rwxr-xr-x #! theirs", "alice/link": "Lrwxrwxrwx /etc/shadow theirs",
	}
	got := listing(t, dir+"/srv/homes")
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %q, want %q", name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%q", got)
	}
}

func TestNewHomeIsMadeOnlyWhereRootAloneRules(t *testing.T) {
	needsRoot(t)
	dir, r := container(t)
	put(t, dir, "homes/mine/there", "d")
	put(t, dir, "homes/bob", "d")
	put(t, dir, "away", "d")
	put(t, dir, "links/to", "-> /away")
	for name, uid := range map[string]int{"homes/mine": 1000, "homes/bob": 1001} {
		if err := os.Chown(filepath.Join(dir, name), uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "homes/mine/link", "-> /away")
	for _, name := range []string{"/homes/mine/x", "/homes/mine/link/x", "/homes/mine/there/x"} {
		if err := r.NewHome(name, "", 1000, 1000); err == nil {
			t.Errorf("%s was made", name)
		}
	}
	// What is there stays as it is, whatever it is.
	for _, name := range []string{"/homes/bob", "/links/to"} {
		if err := r.NewHome(name, "", 1000, 1000); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := listing(t, dir+"/homes")["bob"]; strings.Contains(got, "theirs") {
		t.Error(got)
	}
	if got := listing(t, dir+"/away"); len(got) != 1 {
		t.Errorf("%q", got)
	}
	// A link that only root can have made is followed.
	if err := r.NewHome("/links/to/new", "", 1000, 1000); err != nil || !strings.Contains(listing(t, dir+"/away")["new"], "theirs") {
		t.Error(err)
	}
}

func TestSkeletonHasALimit(t *testing.T) {
	needsRoot(t)
	dir, r := container(t)
	put(t, dir, "skel/big", strings.Repeat("x", maxSkelBytes+1))
	put(t, dir, "homes", "d")
	if err := r.NewHome("/homes/alice", "/skel", 1000, 1000); !errors.Is(err, errSkelTooLarge) {
		t.Error(err)
	}
	if got := listing(t, dir+"/homes"); len(got) != 1 {
		t.Errorf("left: %q", got)
	}
}

func TestHomeInsideStartsFromTheSkeletonOfTheImage(t *testing.T) {
	dir, r := container(t)
	put(t, dir, "etc/passwd", rootLine)
	put(t, dir, "etc/group", "root:x:0:\n")
	put(t, dir, "etc/skel/.profile", "hello")
	if err := r.AddUser(alice("/home/alice")); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(dir + "/home/alice/.profile"); string(b) != "hello" {
		t.Error(err)
	}
}

func TestWhatIsLeftOfAHomeIsRemovedUnlessItIsAnothers(t *testing.T) {
	needsRoot(t)
	if testing.Short() {
		t.Skip("it waits until nobody can be at it")
	}
	dir, r := container(t)
	put(t, dir, "homes/.alice.dockersh/left/over", "x")
	put(t, dir, "homes/.bob.dockersh/mine", "x")
	if err := os.Chown(dir+"/homes/.bob.dockersh", 7, 7); err != nil {
		t.Fatal(err)
	}
	if err := r.NewHome("/homes/bob", "", 1000, 1000); err == nil {
		t.Error("made")
	}
	if err := r.NewHome("/homes/alice", "", 1000, 1000); err != nil {
		t.Error(err)
	}
	got := listing(t, dir+"/homes")
	if _, ok := got[".bob.dockersh/mine"]; !ok || len(got) != 4 {
		t.Errorf("%q", got)
	}
}

func TestHomeOfTheImagesUserOfThatNameIsHandedOver(t *testing.T) {
	needsRoot(t)
	dir, r := container(t)
	put(t, dir, "home/ubuntu/.profile", "x")
	put(t, dir, "home/ubuntu/a/b", "x")
	put(t, dir, "home/ubuntu/roots", "x")
	put(t, dir, "home/ubuntu/link", "-> /etc/shadow")
	put(t, dir, "etc/shadow", "x")
	for _, name := range []string{"", "/.profile", "/a", "/a/b", "/link"} {
		if err := os.Lchown(dir+"/home/ubuntu"+name, 999, 999); err != nil {
			t.Fatal(err)
		}
	}
	u := User{Home: "/home/ubuntu", FormerUID: 999, UID: 1000, GID: 1000}
	for range 2 {
		if err := r.MakeHome(u); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range listing(t, dir) {
		want := strings.HasPrefix(name, "home/ubuntu") && name != "home/ubuntu/roots"
		if strings.HasSuffix(text, " theirs") != want {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// Root in the container can hold a lease on a file of the skeleton, for which open(2) waits.
func TestFileUnderALeaseIsLeftOut(t *testing.T) {
	needsRoot(t)
	dir, r := container(t)
	put(t, dir, "etc/skel/.held", "")
	put(t, dir, "etc/skel/.profile", "hello")
	put(t, dir, "home", "d")
	held, err := os.OpenFile(dir+"/etc/skel/.held", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, err := unix.FcntlInt(held.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		t.Skip("this file system has no leases: ", err)
	}
	done := make(chan error, 1)
	go func() { done <- r.MakeHome(User{Home: "/home/alice", UID: 1000, GID: 1000}) }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for the lease")
	}
	if got := listing(t, dir+"/home/alice"); len(got) != 2 || !strings.Contains(got[".profile"], "hello") {
		t.Errorf("%v", got)
	}
}

// The test runs itself as a root process that may not change the owner of a file.
func TestHomeIsEmptyWhereNothingCanBeGivenAway(t *testing.T) {
	needsRoot(t)
	if dir := os.Getenv("DSH_NO_CHOWN"); dir != "" {
		if err := open(t, dir).MakeHome(User{Home: "/home/alice", UID: 1000, GID: 1000}); err != nil {
			t.Error(err)
		}
		return
	}
	dir, _ := container(t)
	put(t, dir, "etc/skel/.profile", "hello")
	put(t, dir, "home", "d")
	cmd := exec.CommandContext(t.Context(), "setpriv", "--bounding-set=-chown", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "DSH_NO_CHOWN="+dir)
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if took := time.Since(start); took >= abandonedAfter {
		t.Errorf("it waited %v for itself", took)
	}
	if got := listing(t, dir+"/home"); len(got) != 2 || got["alice"] != "drwxr-xr-x" {
		t.Errorf("%q", got)
	}
}
