//go:build e2e

package recording

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// A login that lacks what the name of its recording needs is refused.
func TestRecordingIsNamedByAddressOrKeyOrTheLoginIsRefused(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root can find sshd's connection")
	fields := strings.Fields(e2e.OnHost(t, "ssh-keygen", "-l", "-f", e2e.Scratch+"/key.pub"))
	key := strings.NewReplacer("SHA256:", "", "+", "-", "/", "_").Replace(fields[1])
	for _, c := range []struct{ letter, name, refusal string }{
		{"%i", "127.0.0.1", "the client's address, and this login has none"},
		{"%k", key, "the key you log in with, but sshd did not provide it"},
	} {
		t.Run(c.letter, func(t *testing.T) {
			u := e2e.NewUser(t, "record = "+e2e.Recordings+"/%u/"+c.letter+".cast")
			e2e.CanLogIn(t, u) // so that the terminal shows nothing of making the container
			e2e.SSH(t, u, "-tt", "--", "true").Want(t, "", "", 0)
			if got, want := recordingsOf(t, u), e2e.Recordings+"/"+u.Name+"/"+c.name+".cast"; len(got) != 1 || got[0] != want {
				t.Errorf("%q, want %s", got, want)
			}
			out, err := exec.Command("su", "-", u.Name, "-c", "true").CombinedOutput()
			if e2e.ExitStatus(err) != 255 || !strings.Contains(string(out), c.refusal) || strings.Count(string(out), "\n") != 2 {
				t.Errorf("su: %v %q", err, out)
			}
			if got := recordingsOf(t, u); len(got) != 1 {
				t.Errorf("a refused login left %q", got)
			}
		})
	}
}
