//go:build e2e

package admin

import (
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestSessionWhoseStartWasRotatedAwayAndCompressedIsWhole(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root brokers write the history")
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	e2e.Eventually(t, "the live session is listed", func() bool { all := historyOf(t, u); return len(all) == 1 && all[0].Status == "still in" })
	packed := e2e.SessionsLog + ".3.gz"
	t.Cleanup(func() { _ = os.Remove(packed) })
	e2e.OnHost(t, "sh", "-c", "mv "+e2e.SessionsLog+" "+e2e.SessionsLog+".3 && gzip -f "+e2e.SessionsLog+".3")
	if all := historyOf(t, u); len(all) != 1 || all[0].Status != "still in" {
		t.Errorf("%+v", all)
	}
	c.Line("exit 7")
	c.Wait()
	if p := lastOf(t, u, 1); p.Status != "exit 7" || p.Client != "127.0.0.1" || !strings.HasPrefix(p.TTY, "pts/") {
		t.Errorf("%+v", p)
	}
	for since, lines := range map[string]int{"1h": 2, "1d": 2, "2200-01-01": 1} {
		if out, _, status := e2e.Ctl(t, "sessions", "--history", "--user", u.Name, "--since", since); status != 0 || strings.Count(out, "\n") != lines {
			t.Errorf("since %s: %d %s", since, status, out)
		}
	}
}
