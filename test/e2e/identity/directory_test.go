//go:build e2e

package identity

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// extraGroups has the name service "extrausers" answer for groups too, which it does
// while /var/lib/extrausers/group exists. All of it is private to the run.
func extraGroups(t *testing.T, groups string) (down, up func()) {
	t.Helper()
	const file = "/var/lib/extrausers/group"
	nss, err := os.ReadFile("/etc/nsswitch.conf")
	if err != nil {
		t.Fatal(err)
	}
	var changed strings.Builder
	for line := range strings.Lines(string(nss)) {
		if strings.HasPrefix(line, "group:") {
			line = strings.TrimRight(line, "\n") + " extrausers\n"
		}
		changed.WriteString(line)
	}
	down = func() {
		t.Helper()
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		e2e.OnHost(t, "touch", "/etc/nsswitch.conf") // brokers look again, as after ten seconds
	}
	up = func() { t.Helper(); e2e.WriteFile(t, file, groups); e2e.OnHost(t, "touch", "/etc/nsswitch.conf") }
	e2e.WriteFile(t, "/etc/nsswitch.conf", changed.String())
	t.Cleanup(func() {
		e2e.WriteFile(t, "/etc/nsswitch.conf", string(nss))
		os.Remove(file)
	})
	up()
	return down, up
}

// The C library goes on without a name service that is down. getent(1) prints the rest,
// and succeeds.
func TestDirectoryThatIsDownTakesNobodyOutOfTheirGroups(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "what a user's own broker saw, root's programs do not know")
	u := e2e.NewUser(t, "onchange = recreate")
	rescuer := e2e.NewUser(t, "hostshell = /bin/sh")
	local := u.Name + "-local"
	e2e.OnHost(t, "groupadd", "-g", "70098", local)
	t.Cleanup(func() { e2e.OnHost(t, "groupdel", local) })
	for what, c := range map[string]struct{ group, entry, words string }{
		"a group of the directory":              {"restricted", "restricted:x:70099:" + u.Name + "\n", "no name service of this host finds the group \"restricted\""},
		"a group of the host, with its members": {local, local + ":x:70098:" + u.Name + "\n", "the name service of this host does not answer"},
	} {
		t.Run(what, func(t *testing.T) {
			down, up := extraGroups(t, c.entry)
			section := `group "` + c.group + `"`
			if err := e2e.SetSection(section, "memory = 64m", "capdrop = ALL"); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = e2e.UnsetSection(section) })
			const look = "grep CapBnd /proc/self/status; cat ~/f"
			e2e.SSH(t, u, "echo kept >~/f").Want(t, "", "", 0)
			e2e.SSH(t, u, look).Want(t, "CapBnd:\t0000000000000000\nkept\n", "", 0)
			down()
			e2e.SSH(t, u, look).Refused(t, c.words, "dockershctl")
			e2e.SSH(t, rescuer, "echo on the host").Want(t, "on the host\n", "", 0)
			e2e.OnHost(t, "rm", "-rf", e2e.RunDir+"/seen") // as after a restart of the host
			if e2e.Door == "service" {
				e2e.Broker.Restart(t, syscall.SIGTERM)
			}
			e2e.SSH(t, u, look).Refused(t, c.words, "dockershctl")
			if out, _, status := e2e.Ctl(t, "doctor", "--no-login", u.Name); status == 0 || !strings.Contains(out, " name-service: the name service extrausers ") {
				t.Errorf("the doctor: %q, status %d", out, status)
			}
			out, _, status := e2e.Ctl(t, "check")
			if lost := strings.Contains(c.words, "finds"); lost && (status == 0 || !strings.Contains(out, c.words)) || !lost && status != 0 {
				t.Errorf("check: %q, status %d", out, status)
			}
			up()
			e2e.SSH(t, u, look).Want(t, "CapBnd:\t0000000000000000\nkept\n", "", 0)
		})
	}
}
