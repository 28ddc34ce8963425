//go:build e2e

package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// A recording whose name asks for what a login does not have is none, and so is
// the session.
func TestARecordingIsNamedByAddressAndKeyOrRefused(t *testing.T) {
	privileged(t, "the connections of sshd are root's to look at")
	fields := strings.Fields(run(t, "ssh-keygen", "-l", "-f", scratch+"/key.pub"))
	key := strings.NewReplacer("SHA256:", "", "+", "-", "/", "_").Replace(fields[1])
	for _, c := range []struct{ letter, name, refusal string }{
		{"%i", "127.0.0.1", "the client's address, and this login has none"},
		{"%k", key, "the key you log in with, and sshd tells none"},
	} {
		t.Run(c.letter, func(t *testing.T) {
			u := newBoxed(t, "record = "+recordings+"/%u/"+c.letter+".cast")
			works(t, u) // else the terminal may show that the container is being made
			ssh(t, u, "-tt", "--", "true").want(t, "", "", 0)
			if got, want := u.tapes(t), recordings+"/"+u.name+"/"+c.name+".cast"; len(got) != 1 || got[0] != want {
				t.Errorf("%q, want %s", got, want)
			}
			out, err := exec.Command("su", "-", u.name, "-c", "true").CombinedOutput()
			if exitStatus(err) != 255 || !strings.Contains(string(out), c.refusal) || strings.Count(string(out), "\n") != 2 {
				t.Errorf("su: %v %q", err, out)
			}
			if got := u.tapes(t); len(got) != 1 {
				t.Errorf("a refused login left %q", got)
			}
		})
	}
}
