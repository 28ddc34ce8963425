//go:build e2e

package identity

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestUsersOfAnotherNameServiceLogIn(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "these users are not in the docker group")
	const dir = "/var/lib/extrausers"
	nss, err := os.ReadFile("/etc/nsswitch.conf")
	if err != nil {
		t.Fatal(err)
	}
	var changed strings.Builder
	for line := range strings.Lines(string(nss)) {
		switch strings.SplitN(line, ":", 2)[0] {
		case "passwd", "group", "shadow":
			line = strings.TrimRight(line, "\n") + " extrausers\n"
		}
		changed.WriteString(line)
	}
	put := func(path, text string, mode os.FileMode) {
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	// All of this is private to the run: see scripts/apart.
	put("/etc/nsswitch.conf", changed.String(), 0o644)
	t.Cleanup(func() { put("/etc/nsswitch.conf", string(nss), 0o644) })
	for i, name := range []string{"alice.extra", "bob@corp.example", `DOM\carol`} {
		t.Run(name, func(t *testing.T) {
			u := &e2e.Account{Name: name, Home: e2e.Homes + fmt.Sprint("/extra", i), Shell: e2e.Front, UID: 70001 + i, GID: 70001 + i}
			put(dir+"/passwd", fmt.Sprintf("%s:x:%d:%d:From afar:%s:%s\n", name, u.UID, u.GID, u.Home, u.Shell), 0o644)
			put(dir+"/group", fmt.Sprintf("afar:x:%d:\nteam:x:70099:%s\n", u.GID, name), 0o644)
			put(dir+"/shadow", name+":*:19000:0:99999:7:::\n", 0o640)
			if err := os.MkdirAll(u.Home, 0o755); err != nil {
				t.Fatal(err)
			}
			key, _ := os.ReadFile(e2e.Scratch + "/key.pub")
			if err := u.Authorize(string(key)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				for _, id := range u.Containers(t) {
					e2e.OnHost(t, "docker", "rm", "-f", id)
				}
			})
			e2e.SSH(t, u, "whoami; id -u; id -Gn; echo $HOME; exit 3").Want(t, fmt.Sprintf("%s\n%d\nafar team\n%s\n", name, u.UID, u.Home), "", 3)
		})
	}
}
