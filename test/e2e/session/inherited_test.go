//go:build e2e

package session

import (
	"os"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// su asks PAM for the limits of a user, as sshd does.
func TestLimitsAndNiceValueOfTheLoginHold(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.SameResult(t, func(t *testing.T, u *e2e.Account) string {
		file := "/etc/security/limits.d/" + u.Name + ".conf"
		lines := ""
		for _, l := range []string{"hard nofile 333", "soft nofile 222", "hard nproc 4000", "hard fsize 5000", "soft core 0", "- priority 5"} {
			lines += u.Name + " " + l + "\n"
		}
		if err := os.WriteFile(file, []byte(lines), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Remove(file) })
		const script = "ulimit -Sn; ulimit -Hn; ulimit -f; ulimit -Sc; grep -c 4000 /proc/self/limits; cut -d' ' -f19 /proc/self/stat"
		got := e2e.OnHost(t, "su", "-", u.Name, "-c", script)
		if want := "222\n333\n5000\n0\n1\n5"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		// The next login has limits of its own: none of this stays with the agent.
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return e2e.OnHost(t, "su", "-", u.Name, "-c", "ulimit -Sn; ulimit -Hn; cut -d' ' -f19 /proc/self/stat")
	})
}

func TestUmaskOfTheLoginHolds(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		got := e2e.OnHost(t, "sh", "-c", "umask 027; exec su - "+u.Name+" -c 'umask; rm -f made; echo x >made; stat -c %a made'")
		if got != "0027\n640" {
			t.Errorf("%q", got)
		}
	})
}

func TestLimitsOfSSHDHold(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	e2e.SameResult(t, func(t *testing.T, u *e2e.Account) string {
		return e2e.SSH(t, u, "ulimit -Sn; ulimit -Hn; umask").Stdout + e2e.SSH(t, u, "-tt", "--", "ulimit -Sn; umask").Stdout
	})
}
