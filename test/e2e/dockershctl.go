package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// CtlPath is dockershctl.
const CtlPath = Prefix + "/bin/dockershctl"

// Ctl runs dockershctl as root.
func Ctl(t testing.TB, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.Command(CtlPath, args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the caller looks at the status
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// MustCtl runs dockershctl, which must succeed and write no error.
func MustCtl(t testing.TB, args ...string) string {
	t.Helper()
	out, errs, status := Ctl(t, args...)
	if status != 0 || errs != "" {
		t.Fatalf("dockershctl %q: %d, %q, %q", args, status, out, errs)
	}
	return out
}

// CtlConsole runs dockershctl on a terminal of 24 rows and 80 columns.
func CtlConsole(t testing.TB, args ...string) *Console {
	t.Helper()
	return NewConsole(t, 24, 80, append([]string{CtlPath}, args...)...)
}
