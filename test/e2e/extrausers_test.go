//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestUserOfAnotherNameService(t *testing.T) {
	privileged(t, "these users are in no group that may use the engine")
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
			u := &account{name: name, home: homes + fmt.Sprint("/extra", i), shell: front, uid: 70001 + i, gid: 70001 + i}
			put(dir+"/passwd", fmt.Sprintf("%s:x:%d:%d:From afar:%s:%s\n", name, u.uid, u.gid, u.home, u.shell), 0o644)
			put(dir+"/group", fmt.Sprintf("afar:x:%d:\nteam:x:70099:%s\n", u.gid, name), 0o644)
			put(dir+"/shadow", name+":*:19000:0:99999:7:::\n", 0o640)
			if err := os.MkdirAll(u.home, 0o755); err != nil {
				t.Fatal(err)
			}
			key, _ := os.ReadFile(scratch + "/key.pub")
			if err := u.authorize(string(key)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				for _, id := range u.containers(t) {
					run(t, "docker", "rm", "-f", id)
				}
			})
			ssh(t, u, "whoami; id -u; id -Gn; echo $HOME; exit 3").want(t, fmt.Sprintf("%s\n%d\nafar team\n%s\n", name, u.uid, u.home), "", 3)
		})
	}
}
