package sessions

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The owner of a process's directory in /proc is its effective uid.
func TestUserOfASetuidProcessIsFound(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs a process of another user")
	}
	sleep, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.CreateTemp("/", "sleep-") // where every user gets
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(program.Name())
	_, err = program.Write(sleep)
	if program.Close(); err != nil {
		t.Fatal(err)
	}
	for mode, owner := range map[os.FileMode]uint32{0o755: 12345, 0o755 | os.ModeSetuid: 0, 0o711: 12345} {
		if err := os.Chmod(program.Name(), mode); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program.Name(), "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		var st unix.Stat_t
		if err := unix.Stat("/proc/"+strconv.Itoa(cmd.Process.Pid), &st); err != nil || st.Uid != owner {
			t.Errorf("mode %v: the directory belongs to %d, %v", mode, st.Uid, err)
		}
		if uid, err := userOf(cmd.Process.Pid); err != nil || uid != 12345 {
			t.Errorf("mode %v: %d %v", mode, uid, err)
		}
	}
}
