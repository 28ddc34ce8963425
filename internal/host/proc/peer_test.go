package proc

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// exited returns the pidfd of a process that has ended.
func exited(t *testing.T) (pidfd int) {
	t.Helper()
	cmd := exec.Command("sleep", "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pidfd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(pidfd) })
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return pidfd
}

func TestPeerThatHasEndedIsNotTheProcessWithItsNumber(t *testing.T) {
	me, uid := os.Getpid(), uint32(os.Geteuid())
	mine, err := unix.PidfdOpen(me, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(mine)
	for _, c := range []struct {
		what  string
		uid   uint32
		pidfd int
		want  error
	}{
		{"with its descriptor", uid, mine, nil},
		{"whose effective uid is another by now", uid + 1, mine, nil},
		{"of which only the number is known", uid, -1, nil},
		{"that has ended", uid, exited(t), ErrGone},
		{"whose number is another user's", uid + 1, -1, ErrGone},
	} {
		if s, err := Peer(me, c.uid, c.pidfd); err != c.want || err == nil && s.Pid != me {
			t.Errorf("a peer %s: %+v %v", c.what, s, err)
		}
	}
	if _, err := Peer(1<<30, uid, -1); err != ErrGone {
		t.Errorf("no such process: %v", err)
	}
}
