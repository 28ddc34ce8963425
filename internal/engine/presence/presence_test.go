package presence

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
)

func TestOnlyContainersOfAClusterAreLeftToOthers(t *testing.T) {
	f := enginetest.New()
	f.Add(engine.Container{ID: "1", Name: "a"})
	if err := f.Announce(t.Context(), engine.Presence{Container: "a", Host: "other", Session: "s"}); err != nil {
		t.Fatal(err)
	}
	cluster := Careful(f, engine.Address{Host: engine.Cluster + "ns"}, "this")
	if err := cluster.Remove(t.Context(), "1"); !errors.Is(err, engine.ErrInUse) {
		t.Errorf("%v", err)
	}
	if err := Careful(f, engine.Address{Host: "/run/docker.sock"}, "this").Remove(t.Context(), "1"); err != nil {
		t.Error(err)
	}
}

func TestSessionIsAnnouncedAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := enginetest.New()
		p := engine.Presence{Container: "a", Host: "this", Session: "s"}
		f.Fail("Announce", errors.New("down"))
		end := Hold(f, p)
		time.Sleep(2*engine.PresenceEach + time.Second)
		f.Fail("Announce", nil)
		time.Sleep(engine.PresenceEach)
		end()
		n := f.Calls("Announce")
		time.Sleep(3 * engine.PresenceEach)
		if now := f.Calls("Announce"); n != 3 || now != n {
			t.Errorf("%d times, and %d after the end", n, now-n)
		}
		Withdraw(f, p)
		if all, err := f.Presences(context.Background()); len(all) > 0 || err != nil {
			t.Errorf("%+v %v", all, err)
		}
	})
}
