package broker

import (
	"slices"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/admission"
	"github.com/dockersh/dockersh/internal/root/bringup"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/state"
)

// notices logs in and out again, and returns what the user is shown.
func (w *world) notices(m *wire.Login) []string {
	w.Helper()
	answer, c := w.login(m)
	ready, ok := answer.(*wire.Ready)
	if !ok {
		w.Fatalf("got %#v", answer)
	}
	_ = c.Close()
	w.eventually("it is over", func() bool { return len(w.broker.sessions.Live()) == 0 })
	return ready.Notice
}

// After a reboot nothing but the inventory says that there was a container.
func TestLoginSaysThatTheLastContainerVanished(t *testing.T) {
	for what, c := range map[string]struct {
		settings string
		last     state.Expected
		notice   bool
	}{
		"it was removed":          {"", state.Expected{ID: "0", Engine: "/var/run/docker.sock"}, true},
		"it is in another engine": {"", state.Expected{ID: "0", Engine: "/run/podman/podman.sock"}, false},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.set("[dockersh]\n" + c.settings)
			inventory := state.Inventory(w.broker.Config.Inventory)
			if err := inventory.Set(w.name(), c.last); err != nil {
				t.Fatal(err)
			}
			reason := bringup.NotCreated
			if c.notice {
				reason = bringup.Vanished
			}
			if got := w.notices(&wire.Login{HasCommand: true}); slices.Contains(got, vanishedNotice) != c.notice {
				t.Errorf("shown %q", got)
			}
			w.eventually("the start is in the history", func() bool { return len(w.past.of(history.Start)) > 0 })
			if got := w.past.of(history.Start)[0].Cold; got != string(reason) {
				t.Errorf("cold because %q", got)
			}
			if s, ok := inventory.Get(w.name()); !ok || s.ID != w.id() || s.UID != w.me.UID {
				t.Errorf("then the inventory has %+v", s)
			}
			if got := w.notices(&wire.Login{HasCommand: true}); len(got) != 0 {
				t.Errorf("shown again: %q", got)
			}
		})
	}
}

func TestContainersThatDoNotStayAreNotInTheInventory(t *testing.T) {
	w := newWorld(t)
	inventory := state.Inventory(w.broker.Config.Inventory)
	w.set("[dockersh]\nephemeral\n")
	w.notices(&wire.Login{})
	if s, ok := inventory.Get(w.name()); ok {
		t.Errorf("an ephemeral one: %+v", s)
	}
	w.eventually("it is removed", func() bool { return w.id() == "" })
	w.set("[dockersh]\nonchange = recreate\n")
	w.notices(&wire.Login{})
	w.set("[dockersh]\nonchange = recreate\nmemory = 1g\n")
	if got := w.notices(&wire.Login{}); slices.Contains(got, vanishedNotice) {
		t.Errorf("after a change of settings the user is shown %q", got)
	}
	w.engine.Fail("Start", admission.ErrTooMany)
	w.set("[dockersh]\nonchange = recreate\nmemory = 2g\n")
	w.refused(&wire.Login{}, "")
	if s, ok := inventory.Get(w.name()); ok {
		t.Errorf("one that could not be started: %+v", s)
	}
}

// A user can log in again and again into a container that cannot be made.
func TestFailedLoginsDoNotLogAVanishedContainerEach(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nimagename = nosuch\npull = never\n")
	if err := state.Inventory(w.broker.Config.Inventory).Set(w.name(), state.Expected{ID: "0", Engine: "/var/run/docker.sock"}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.refused(&wire.Login{}, "there is no image")
	}
	if n := w.log.count("container vanished"); n != 0 {
		t.Errorf("%d lines", n)
	}
	w.set("[dockersh]\n")
	w.enters()
	if n := w.log.count("container vanished"); n != 1 {
		t.Errorf("then %d lines", n)
	}
}
