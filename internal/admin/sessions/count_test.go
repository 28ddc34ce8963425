package sessions

import (
	"os"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/root/state"
)

func TestLiveSessionsAreCountedByWhatTheyAre(t *testing.T) {
	before := paths.Run
	paths.Run = t.TempDir()
	defer func() { paths.Run = before }()
	if err := state.RunDir(paths.Run).Make(); err != nil {
		t.Fatal(err)
	}
	me, err := proc.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []state.Session{
		{ID: "a", Container: "one"}, {ID: "b", Container: "one"}, {ID: "c", Container: "two", Waiting: true},
		{ID: "d", Container: state.NoContainer, Connection: true}, {ID: "e", Container: "one", Start: 1},
	} {
		s.User, s.Pid, s.Since = "alice", me.Pid, time.Now()
		if s.Start == 0 { // else that process has ended
			s.Start = me.Start
		}
		if err := state.RunDir(paths.Run).Sessions().Add(s); err != nil {
			t.Fatal(err)
		}
	}
	if root, _ := CountLive(t.Context()); root != (Count{Sessions: 2, Waiting: 1, Connections: 1}) {
		t.Errorf("%+v", root)
	}
	if name := nameOf(t.Context(), nil, 4711); name != "4711" {
		t.Error(name)
	}
}
