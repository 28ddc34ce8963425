package sys

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// what a child process of the test does, by the name in its environment
var giveUps = map[string]func() error{
	"plain": func() error { return nil },
	// The kernel leaves the capabilities where they are.
	"kept": func() error {
		const noSetuidFixup = 1 << 2 // SECBIT_NO_SETUID_FIXUP, capabilities(7)
		_, _, errno := syscall.AllThreadsSyscall(unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, noSetuidFixup, 0)
		if errno != 0 {
			return errno
		}
		return nil
	},
}

func TestMain(m *testing.M) {
	prepare, ok := giveUps[os.Getenv("GIVE_UP")]
	if !ok {
		os.Exit(m.Run())
	}
	if err := prepare(); err != nil {
		os.Stdout.WriteString(err.Error())
		os.Exit(1)
	}
	switch err := GiveUpRoot(65534); {
	case errors.Is(err, ErrKeptRoot):
		os.Stdout.WriteString("kept")
	case err != nil:
		os.Stdout.WriteString(err.Error())
	default:
		_, err := os.ReadFile("/etc/shadow")
		status, _ := os.ReadFile("/proc/thread-self/status")
		os.Stdout.WriteString(string(status) + "\n" + err.Error())
	}
}

func giveUp(t *testing.T, how string) string {
	if os.Geteuid() != 0 {
		t.Skip("only root has something to give up")
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{"GIVE_UP=" + how}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestRootGivenUpIsGone(t *testing.T) {
	out := giveUp(t, "plain")
	for _, want := range []string{"Uid:\t65534\t65534\t65534\t65534", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "permission denied"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
}

func TestRightsThatStayAreNoticed(t *testing.T) {
	if out := giveUp(t, "kept"); out != "kept" {
		t.Error(out)
	}
}
