package sessions

import (
	"os"
	"testing"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/root/state"
)

func TestConnectionWithASessionIsNotShown(t *testing.T) {
	me, err := proc.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	parent, err := proc.Of(me.Parent)
	if err != nil {
		t.Skip(err)
	}
	session := state.Session{ID: id1, Pid: me.Pid, Start: me.Start}
	of := func(p proc.Stat, id string) state.Session {
		return state.Session{ID: id, Pid: p.Pid, Start: p.Start, Connection: true}
	}
	ids := func(all []state.Session) (text string) {
		for _, s := range Shown(all) {
			text += s.ID + " "
		}
		return text
	}
	next := parent
	next.Start++ // another process with its number
	for _, c := range []struct {
		all  []state.Session
		want string
	}{
		{[]state.Session{session}, id1 + " "},
		{[]state.Session{of(parent, id2)}, id2 + " "},
		{[]state.Session{of(parent, id2), session}, id1 + " "},
		{[]state.Session{session, of(me, id2)}, id1 + " "},
		{[]state.Session{of(next, id2), session}, id2 + " " + id1 + " "},
	} {
		if got := ids(c.all); got != c.want {
			t.Errorf("%+v: %q, want %q", c.all, got, c.want)
		}
	}
	sessions, connections := split([]state.Session{of(me, id2), session})
	if len(sessions) != 1 || len(connections) != 1 || sessions[0].ID != id1 || connections[0].ID != id2 {
		t.Errorf("%+v %+v", sessions, connections)
	}
}
