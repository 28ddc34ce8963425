package front_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// children returns the processes that a process has started and not waited for.
func children(t testing.TB, pid int) (all []int) {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*")
	must(t, err)
	for _, path := range paths {
		other, err := strconv.Atoi(filepath.Base(path))
		must(t, err)
		if fields := stat(other); fields != nil && fields[1] == strconv.Itoa(pid) {
			all = append(all, other)
		}
	}
	return all
}

// A login may need processes, but a session has them no longer: they count for the user's limit.
func TestLoginLeavesNoProcessBehind(t *testing.T) {
	t.Parallel()
	home := tempDir(t)
	for _, name := range []string{".dockersh", ".Xauthority"} {
		must(t, os.WriteFile(filepath.Join(home, name), entry(familyWild, "", "10", "name", "data"), 0o600))
	}
	env := []string{"SSH_CONNECTION=x", "HOME=" + home, "DISPLAY=localhost:10.0", "SSH_AUTH_SOCK=" + upper(t)}
	s := begin(t, how{env: env}, &wire.Ready{SSHAgent: true, X11: true})
	if !s.start.SSHAgent || s.start.Display == "" || len(s.login.UserFile) == 0 {
		t.Fatalf("%+v", s.start)
	}
	s.started(&wire.Started{})
	until(t, "there is no child", func() bool { return len(children(t, s.pid)) == 0 })
	s.ends(&wire.Exit{})
	s.exits(0)
}
