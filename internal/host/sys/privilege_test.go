package sys

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv("GIVE_UP") == "" {
		os.Exit(m.Run())
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

// giveUp is a child process of the test, started by way of the command before.
func giveUp(t *testing.T, before ...string) string {
	if os.Geteuid() != 0 {
		t.Skip("only root has something to give up")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	argv := append(before, self)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = []string{"GIVE_UP=1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestRootThatWasGivenUpIsGone(t *testing.T) {
	out := giveUp(t)
	for _, want := range []string{"Uid:\t65534\t65534\t65534\t65534", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "permission denied"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
}

// With that bit the kernel leaves the capabilities where they are
// (capabilities(7)).
func TestKeptRightsAreNoticed(t *testing.T) {
	if out := giveUp(t, "/usr/bin/setpriv", "--securebits", "+no_setuid_fixup"); out != "kept" {
		t.Error(out)
	}
}
