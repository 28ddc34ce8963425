//go:build e2e

package e2e

import (
	"cmp"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// door is how sessions come to their broker in this run: "service", "setuid" or
// "direct". The same tests run through each.
var door = cmp.Or(os.Getenv("DOOR"), "service")

// openDoor prepares the door.
func openDoor() error {
	switch door {
	case "service":
		return broker.start()
	case "setuid":
		if err := os.Chown(front, 0, 0); err != nil {
			return err
		}
		return os.Chmod(front, 0o755|os.ModeSetuid)
	case "direct":
		return nil // addNamed lets every account use the engine
	}
	return &failed{"DOOR", door + " is none"}
}

// mayUseEngine gives an account what the direct door needs.
func mayUseEngine(name string) error {
	if door != "direct" {
		return nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	// As pam_systemd makes it: without one the broker would use the machine's /tmp.
	run := "/run/user/" + u.Uid
	if out, err := exec.Command("install", "-d", "-m", "700", "-o", u.Uid, "-g", u.Gid, run).CombinedOutput(); err != nil {
		return &failed{"install " + run, string(out)}
	}
	if out, err := exec.Command("usermod", "-a", "-G", "docker", name).CombinedOutput(); err != nil {
		return &failed{"usermod " + name, string(out)}
	}
	return nil
}

// away ends the service's broker; back starts the next one. Through other doors
// every session has a broker of its own, and there is none that could be away.
func (d *daemon) away(t testing.TB, by syscall.Signal) (back func()) {
	t.Helper()
	if door != "service" {
		return func() {}
	}
	d.signal(by)
	return func() {
		t.Helper()
		if err := d.start(); err != nil {
			t.Fatal(err)
		}
	}
}

// restart puts a new broker in the place of the service's.
func (d *daemon) restart(t testing.TB, by syscall.Signal) {
	t.Helper()
	d.away(t, by)()
}

// brokerKilled kills the service, or the account's one broker; next brings the one
// that comes after it: through other doors that of his next session.
func brokerKilled(t testing.TB, u *account) (next func()) {
	t.Helper()
	if door == "service" {
		return broker.away(t, syscall.SIGKILL)
	}
	pids := pidsOf(func(pid int, args string) bool {
		f := stat("/proc/" + strconv.Itoa(pid) + "/stat")
		return isOneShot(args) && len(f) > 1 && ownerOf(f[1]) == u.uid
	})
	if len(pids) != 1 {
		t.Fatalf("%d brokers of %s", len(pids), u.name)
	}
	_ = syscall.Kill(pids[0], syscall.SIGKILL)
	return func() { t.Helper(); ssh(t, u, "true").want(t, "", "", 0) }
}

// isOneShot tells the command line of a broker of one session, before and after it
// needed an engine.
func isOneShot(args string) bool {
	args = strings.TrimRight(strings.ReplaceAll(args, "\x00", " "), " ")
	return args == prefix+"/libexec/dockershd-session" || args == prefix+"/sbin/dockershd --one-shot"
}

// ownerOf is the real uid of a process.
func ownerOf(pid string) int {
	data, _ := os.ReadFile("/proc/" + pid + "/status")
	_, rest, _ := strings.Cut(string(data), "\nUid:\t")
	id, _, _ := strings.Cut(rest, "\t")
	n, err := strconv.Atoi(id)
	if err != nil {
		return -1
	}
	return n
}

// place is where the brokers of the account's sessions keep what they know.
func (a *account) place() string {
	if door == "direct" {
		return "/run/user/" + strconv.Itoa(a.uid) + "/dockersh"
	}
	return runDir
}

// service skips a test of what only a service has.
func service(t testing.TB, why string) {
	t.Helper()
	if door != "service" {
		t.Skip("only with the service: " + why)
	}
}

// privileged skips a test of what only a broker with root's rights does.
func privileged(t testing.TB, why string) {
	t.Helper()
	if door == "direct" {
		t.Skip("only with a broker of root's: " + why)
	}
}

func TestWhoMayNotUseTheEngineIsToldSo(t *testing.T) {
	if door != "direct" {
		t.Skip("other doors need no right to use the engine")
	}
	u := newUser(t, front)
	run(t, "gpasswd", "-d", u.name, "docker")
	ssh(t, u, "true").refused(t, "you may not use the container engine yourself")
}

func TestWithoutARuntimeDirectoryOneInTmpMustBeTheUsersAlone(t *testing.T) {
	if door != "direct" {
		t.Skip("other doors have root's own place")
	}
	u := newUser(t, front)
	place := "/tmp/dockersh-" + strconv.Itoa(u.uid)
	t.Cleanup(func() { os.RemoveAll(place) })
	if err := os.RemoveAll("/run/user/" + strconv.Itoa(u.uid)); err != nil {
		t.Fatal(err)
	}
	// Somebody was there first. The uid may have been another test's.
	if err := os.RemoveAll(place); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(place, 0o777); err != nil {
		t.Fatal(err)
	}
	ssh(t, u, "true").refused(t)
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	works(t, u)
}

func TestWithoutTheServiceAContainerIsItsMakersAlone(t *testing.T) {
	if door != "direct" {
		t.Skip("a broker of root's knows the containers of all: TestSharedContainer")
	}
	a, b := newUser(t, front, "containername = dsh-ours"), newUser(t, front, "containername = dsh-ours")
	works(t, a)
	ssh(t, b, "true").refused(t, "was made by another user")
	works(t, a)
}
