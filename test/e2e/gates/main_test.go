//go:build e2e

// Package gates tests what hostile users can do whom the administrator lets set something
// in ~/.dockersh, and who bring an image of their own.
package gates

import (
	"os"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}

// noDirect is why these tests leave the direct door out.
const noDirect = "through the direct door the user has the engine, and so the host"

// leavesNoProgram tries to leave setuid-root programs in the mounted home, and checks that
// on the host there is none.
func leavesNoProgram(t *testing.T, u *e2e.Account) {
	t.Helper()
	e2e.SSH(t, u, "cd "+u.Home+"; for id in 0 root; do cp /bin/busybox u$id; chown $id u$id; chmod 4755 u$id; cp /bin/busybox g$id; chgrp $id g$id; chmod 2755 g$id; done")
	entries, err := os.ReadDir(u.Home)
	if err != nil || len(entries) < 4 {
		t.Fatalf("nothing was left in the home, not even the user's own: %v %v", entries, err)
	}
	for _, e := range entries {
		st, err := os.Lstat(u.Home + "/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		s := st.Sys().(*syscall.Stat_t)
		if int(s.Uid) != u.UID && s.Uid != 4321 || int(s.Gid) != u.GID && s.Gid != 4321 {
			t.Errorf("on the host, %s is %v of %d:%d", e.Name(), st.Mode(), s.Uid, s.Gid)
		}
	}
}
