package rootfs

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestDirectoryIsTakenBackFromTheUsersOfAnImage(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give directories away")
	}
	dir, r := container(t)
	put(t, dir, "etc/deep/f", "x")
	for _, name := range []string{"", "etc", "etc/deep"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(dir, name), 1000, 1000); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.ResetDir("/etc", 0); err != nil {
		t.Fatal(err)
	}
	if err := r.ResetDir("/new/dir", 0); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint32{"": 0, "etc": 0, "etc/deep": 1000, "new/dir": 0} {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil || st.Sys().(*syscall.Stat_t).Uid != want || (st.Mode().Perm() == 0o755) != (want == 0) {
			t.Errorf("%s: %v %v", name, st.Mode(), err)
		}
	}
	put(t, dir, "link", "-> /etc")
	for _, name := range []string{"/link", "/etc/deep/f"} {
		if err := r.ResetDir(name, 0); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := open(t, "/").ResetDir("/proc", 0); err == nil {
		t.Error("a directory in a mount was changed")
	}
}
