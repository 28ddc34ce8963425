package exitstatus

import (
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestARealProcessesEndIsTold(t *testing.T) {
	for _, c := range []struct {
		script string
		code   int
		sig    unix.Signal
	}{
		{"exit 0", 0, 0}, {"exit 44", 44, 0}, {"exit 255", 255, 0},
		{"kill -KILL $$", 0, unix.SIGKILL}, {"kill -FPE $$", 0, unix.SIGFPE}, {"kill -64 $$", 0, 64},
	} {
		cmd := exec.Command("/bin/sh", "-c", c.script)
		_ = cmd.Run() // the status is what is looked at
		code, sig := Split(uint32(cmd.ProcessState.Sys().(syscall.WaitStatus)))
		if code != c.code || sig != c.sig {
			t.Errorf("%s: got code %d signal %d", c.script, code, sig)
		}
	}
}

func TestWhatIsNoEndIsAKill(t *testing.T) {
	for _, ws := range []uint32{0x137f, 0xffff, 0x7f, 0xdeadbe7f} { // stopped, continued, nonsense
		if code, sig := Split(ws); code != 0 || sig != unix.SIGKILL {
			t.Errorf("%#x: got code %d signal %d", ws, code, sig)
		}
	}
}
