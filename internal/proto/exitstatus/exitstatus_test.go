package exitstatus

import (
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTheEndOfARealProcessIsSplit(t *testing.T) {
	for _, c := range []struct {
		script string
		code   int
		sig    unix.Signal
	}{
		{"exit 0", 0, 0}, {"exit 44", 44, 0}, {"exit 255", 255, 0},
		{"kill -KILL $$", 0, unix.SIGKILL}, {"kill -FPE $$", 0, unix.SIGFPE}, {"kill -64 $$", 0, 64},
	} {
		status := OfCode(c.code)
		if c.sig != 0 {
			status = uint32(c.sig)
		}
		cmd := exec.Command("/bin/sh", "-c", c.script)
		_ = cmd.Run() // the status is what is looked at
		code, sig := Split(uint32(cmd.ProcessState.Sys().(syscall.WaitStatus)))
		if code != c.code || sig != c.sig {
			t.Errorf("%s: got code %d signal %d", c.script, code, sig)
		}
		if code, sig := Split(status); code != c.code || sig != c.sig {
			t.Errorf("%s: made of %#x: code %d signal %d", c.script, status, code, sig)
		}
	}
}

func TestAStatusThatIsNotAnEndCountsAsAKill(t *testing.T) {
	for _, ws := range []uint32{0x137f, 0xffff, 0x7f, 0xdeadbe7f} { // stopped, continued, nonsense
		if code, sig := Split(ws); code != 0 || sig != unix.SIGKILL {
			t.Errorf("%#x: got code %d signal %d", ws, code, sig)
		}
	}
}

func TestSignalsHaveTheNamesAndCodesOfAShell(t *testing.T) {
	for sig, want := range map[unix.Signal]string{unix.SIGKILL: "KILL", unix.SIGHUP: "HUP", 64: "64", 0: "0"} {
		if got := SignalName(sig); got != want {
			t.Errorf("%d: %q", sig, got)
		}
	}
	if SignalCode(unix.SIGTERM) != 143 || !IsKill(137) || IsKill(9) || IsKill(143) {
		t.Error("not the exit codes of a shell")
	}
}
