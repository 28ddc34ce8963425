package sessions

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/root/state"
)

// A user can write anything into the directory of their own broker.
func TestUserCannotForgeTheSessionEntryOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root reads with a user's rights")
	}
	run := filepath.Join(t.TempDir(), "0", "dockersh")
	d := state.RunDir(run).Sessions()
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		t.Fatal(err)
	}
	me, err := proc.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	r := state.Session{ID: "a", User: "alice", Address: "192.0.2.7", Container: "c", Pid: me.Pid, Start: me.Start, Since: time.Now()}
	another := r
	another.ID, another.UID = "b", 7
	for _, r := range []state.Session{r, another} {
		if err := d.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if all := ofUserBroker(run); len(all) != 1 || all[0].ID != "a" || all[0].User != "root" || all[0].Address != "" {
		t.Errorf("%+v", all)
	}
}
