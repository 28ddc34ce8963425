package broker

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/history"
)

// refuse counts a refusal of a user.
func (r *refusals) refuse(uid uint32, reason string) {
	one := refusal{event: history.Event{UID: uid, Reason: reason}}
	r.add(refused{uid: uid}, one, func(e *history.Event) { e.Client = "192.0.2.1" })
}

func TestRefusalsOfOneUserAreALineAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		r := &refusals{ctx: t.Context(), write: func(one refusal) {
			got = append(got, fmt.Sprintf("%d %s %s %d", one.event.UID, one.event.Reason, one.event.Client, one.event.Number))
		}}
		expect := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			r.mu.Lock()
			defer r.mu.Unlock()
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
			got = nil
		}
		for n := range 1000 {
			r.refuse(7, fmt.Sprint("reason", n))
		}
		r.refuse(8, "reason")
		expect("at once", "7 reason0 192.0.2.1 0", "8 reason 192.0.2.1 0")
		time.Sleep(refusalPeriod)
		expect("after a minute", "7 reason999  999")
		r.refuse(7, "again")
		r.refuse(8, "again")
		expect("in the second minute", "8 again 192.0.2.1 0")
		time.Sleep(3 * refusalPeriod)
		expect("later", "7 again  1")
		r.mu.Lock()
		if len(r.last) != 0 || r.timer != nil {
			t.Errorf("left: %v", r.last)
		}
		r.mu.Unlock()
		r.refuse(7, "again")
		r.refuse(7, "again")
		r.Close()
		expect("at the end", "7 again 192.0.2.1 0", "7 again  1")
	})
}

func TestRefusalsOfAnyNumberOfUsersTakeLittleMemory(t *testing.T) {
	lines := 0
	r := &refusals{ctx: t.Context(), write: func(refusal) { lines++ }}
	for uid := range uint32(100 * maxRefused) {
		r.refuse(uid, "reason")
	}
	if len(r.last) > maxRefused+1 || lines > maxRefused+1 {
		t.Errorf("%d users, %d lines", len(r.last), lines)
	}
	r.timer.Stop()
}

func TestManyRefusedLoginsAreFewLines(t *testing.T) {
	w := newWorld(t)
	for range 50 {
		c := w.dial()
		if err := c.Send(&wire.Login{Version: wire.Version + 1}); err != nil {
			t.Fatal(err)
		}
		if m, _, err := c.Recv(); err != nil || m.Kind() != wire.KindError {
			t.Fatalf("%v %v", m, err)
		}
		_ = c.Close()
	}
	if n := len(w.past.of(history.Refused)); n != 1 {
		t.Errorf("%d lines", n)
	}
	w.enters()
}
