package e2e

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Door is how sessions reach their broker in this run: "service", "setuid" or
// "direct".
var Door = cmp.Or(os.Getenv("DOOR"), "service")

// openDoor prepares the door.
func openDoor() error {
	mode := os.FileMode(0o755)
	if Door == "setuid" {
		mode |= os.ModeSetuid
	}
	if err := errors.Join(os.Chown(Front, 0, 0), os.Chmod(Front, mode)); err != nil {
		return err
	}
	switch Door {
	case "service":
		return Broker.Start()
	case "setuid", "direct":
		return nil
	}
	return &failed{"DOOR", "there is no door " + Door}
}

// allowEngine prepares an account for the direct door.
func allowEngine(a *Account) error {
	if Door != "direct" {
		return nil
	}
	// pam_systemd makes the directory elsewhere. Without it the broker would use /tmp.
	if out, err := exec.Command("install", "-d", "-m", "700", "-o", a.Name, "-g", strconv.Itoa(a.GID), a.runtimeDir()).CombinedOutput(); err != nil {
		return &failed{"install " + a.runtimeDir(), string(out)}
	}
	if out, err := exec.Command("usermod", "-a", "-G", "docker", a.Name).CombinedOutput(); err != nil {
		return &failed{"usermod " + a.Name, string(out)}
	}
	return nil
}

// Away ends the broker of the service; back starts the next one. Through other doors
// every session has a broker of its own, and Away does nothing.
func (d *Daemon) Away(t testing.TB, by syscall.Signal) (back func()) {
	t.Helper()
	if Door != "service" {
		return func() {}
	}
	d.Signal(by)
	return func() {
		t.Helper()
		if err := d.Start(); err != nil {
			t.Fatal(err)
		}
	}
}

// Restart replaces the broker of the service.
func (d *Daemon) Restart(t testing.TB, by syscall.Signal) {
	t.Helper()
	d.Away(t, by)()
}

// KillBroker kills the service's broker, or the account's only broker. next starts the
// one that follows: through other doors that of the account's next session.
func KillBroker(t testing.TB, u *Account) (next func()) {
	t.Helper()
	if Door == "service" {
		return Broker.Away(t, syscall.SIGKILL)
	}
	pids := PidsOf(func(pid int, args string) bool {
		f := ProcStat("/proc/" + strconv.Itoa(pid) + "/stat")
		return IsOneShot(args) && len(f) > 1 && ownerOf(f[1]) == u.UID
	})
	if len(pids) != 1 {
		t.Fatalf("%d brokers of %s", len(pids), u.Name)
	}
	_ = syscall.Kill(pids[0], syscall.SIGKILL)
	return func() { t.Helper(); SSH(t, u, "true").Want(t, "", "", 0) }
}

// IsOneShot reports whether a command line is that of the broker of one session, which
// becomes another program when it needs an engine.
func IsOneShot(args string) bool {
	args = strings.TrimRight(strings.ReplaceAll(args, "\x00", " "), " ")
	return args == Prefix+"/libexec/dockershd-session" || args == Prefix+"/sbin/dockershd --one-shot"
}

// StateDir returns the directory where the brokers of the account have their state.
func (a *Account) StateDir() string {
	if Door == "direct" {
		return a.runtimeDir() + "/dockersh"
	}
	return RunDir
}

// SetuidShell makes a copy of the login shell with the setuid bit, until the test ends,
// beside whatever door this run goes through, and returns its path.
func SetuidShell(t testing.TB) string {
	t.Helper()
	path := Front + "-setuid"
	data, err := os.ReadFile(Front)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(path) })
	return path
}
