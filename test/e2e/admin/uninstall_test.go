//go:build e2e

package admin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestUninstallIsRefusedWhileItWouldLockUsersOut(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	e2e.RestoreFile(t, "/etc/shells")
	dir := t.TempDir()
	prefix, etc := filepath.Join(dir, "usr"), filepath.Join(dir, "etc")
	shell, rotate := filepath.Join(prefix, "bin/dockersh"), filepath.Join(etc, "logrotate.d/dockersh")
	for _, file := range []string{shell, rotate} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("changed by the administrator\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := func(target string) (string, error) {
		out, err := exec.Command("make", "-s", "-C", os.Getenv("REPO"), target, "PREFIX="+prefix, "ETC="+etc, "PAMDIR=").CombinedOutput()
		return string(out), err
	}
	if out, err := run("install-shell"); err != nil {
		t.Fatal(out)
	}
	u := e2e.NewAccount(t, shell)
	out, err := run("uninstall")
	if err == nil || !strings.Contains(out, "is the login shell of: "+u.Name) || strings.Count(out, ": error: ") != 1 {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := os.Stat(shell); err != nil {
		t.Error(err)
	}
	e2e.OnHost(t, "usermod", "-s", "/bin/bash", u.Name)
	if out, err = run("uninstall"); err != nil || !strings.Contains(out, rotate+" stays") {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := os.Stat(shell); err == nil {
		t.Error("the login shell is still there")
	}
	if shells, err := os.ReadFile("/etc/shells"); err != nil || strings.Contains(string(shells), shell) {
		t.Errorf("%v: %s", err, shells)
	}
}
