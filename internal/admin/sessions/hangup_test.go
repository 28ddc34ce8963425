package sessions

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/root/state"
)

// shell starts a process in the place of a login shell. It returns its session entry
// and how it ends.
func shell(t *testing.T, script string) (state.Session, chan error) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	p, err := proc.Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return state.Session{ID: "x", UID: uint32(os.Getuid()), Pid: p.Pid, Start: p.Start}, ended
}

func TestEndedSessionIsNotSignalled(t *testing.T) {
	r, ended := shell(t, "exec sleep 100")
	other := r
	other.Start-- // of an earlier process with the same number
	others := r
	others.UID++ // an entry that a user wrote for a process of another
	for _, d := range hangUp([]state.Session{other, others}) {
		if d.err != nil || d.killed {
			t.Errorf("%+v", d)
		}
	}
	select {
	case err := <-ended:
		t.Fatalf("another process ended: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if d := hangUp([]state.Session{r}); d[0].err != nil || d[0].killed {
		t.Errorf("%+v", d[0])
	}
	if err := <-ended; err == nil || err.Error() != "signal: hangup" {
		t.Errorf("%v", err)
	}
}

func TestSessionThatDoesNotEndIsKilled(t *testing.T) {
	r, ended := shell(t, "trap '' HUP; exec sleep 100")
	time.Sleep(200 * time.Millisecond) // until it ignores the signal
	quick, _ := shell(t, "exec sleep 100")
	d := hangUp([]state.Session{r, quick})
	if d[0].err != nil || !d[0].killed || d[1].err != nil || d[1].killed {
		t.Errorf("%+v %+v", d[0], d[1])
	}
	if err := <-ended; err == nil || err.Error() != "signal: killed" {
		t.Errorf("%v", err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(d[0].fd, &st); d[0].fd >= 0 && err == nil {
		t.Error("a descriptor is still open")
	}
}
