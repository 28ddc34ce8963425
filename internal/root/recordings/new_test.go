package recordings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rootOnly returns a directory that only root can change, as nothing below /tmp is.
func rootOnly(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make directories of root")
	}
	top, err := os.MkdirTemp("/var/lib", "dockersh-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(top) })
	return top
}

func TestRecordingIsANewFileForRootAlone(t *testing.T) {
	top := rootOnly(t)
	for _, want := range []string{"a/b/u.cast", "a/b/u.2.cast", "a/b/u.3.cast"} {
		f, err := New(top + "/a/b/u.cast")
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		if f.Name() != filepath.Join(top, want) {
			t.Errorf("%s, want %s", f.Name(), want)
		}
	}
	for path, want := range map[string]os.FileMode{"a": 0o700, "a/b": 0o700, "a/b/u.cast": 0o600, "a/b/u.2.cast": 0o600} {
		if st, err := os.Stat(filepath.Join(top, path)); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", path, st.Mode(), err, want)
		}
	}
	if got := numbered("/r/a.b", 2); got != "/r/a.b.2" {
		t.Errorf("%s", got)
	}
	// A link that root put there is followed; one in place of the file is not.
	if err := os.Symlink("a", top+"/link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(top+"/elsewhere", top+"/a/x.cast"); err != nil {
		t.Fatal(err)
	}
	f, err := New(top + "/link/x.cast")
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if _, err := os.Lstat(top + "/elsewhere"); err == nil || !strings.HasSuffix(f.Name(), "/x.2.cast") {
		t.Errorf("%s: a link was followed", f.Name())
	}
}

func TestRecordingWhereUsersCanWriteIsRefused(t *testing.T) {
	top := rootOnly(t)
	for dir, mode := range map[string]os.FileMode{"theirs": 0o755, "group": 0o775, "all": 0o1777} {
		if err := os.Mkdir(top+"/"+dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(top+"/"+dir, mode.Perm()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(top+"/all", 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(top+"/theirs", 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(top+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"link": "theirs", "loop": "loop", "nowhere": "none/x", "theirs/away": "/etc"} {
		if err := os.Symlink(to, top+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"theirs/x", "theirs/new/x", "theirs/away/x", "group/x", "all/x", "all/new/x", "link/x", "link/new/x", "loop/x", "nowhere/x", "file/x"} {
		if f, err := New(filepath.Join(top, path)); err == nil {
			t.Errorf("%s: %s was made", path, f.Name())
			_ = f.Close()
		}
	}
	for _, dir := range []string{"theirs", "all"} {
		if left, _ := filepath.Glob(top + "/" + dir + "/[nx]*"); len(left) > 0 {
			t.Errorf("left: %s", left)
		}
	}
}
