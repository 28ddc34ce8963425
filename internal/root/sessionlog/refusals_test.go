package sessionlog

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// refuse counts a refusal of a user.
func refuse(r *Refusals[string], uid uint32, reason string) {
	r.Add(Refused{UID: uid}, fmt.Sprint(uid, " ", reason), func(one *string) { *one += " at 192.0.2.1" })
}

func TestRefusalsOfOneUserAreALineAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		r := &Refusals[string]{Period: time.Minute, Context: t.Context(), Write: func(one string, number int) {
			got = append(got, fmt.Sprintf("%s, %d", one, number))
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
			refuse(r, 7, fmt.Sprint("reason", n))
		}
		refuse(r, 8, "reason")
		expect("at once", "7 reason0 at 192.0.2.1, 0", "8 reason at 192.0.2.1, 0")
		time.Sleep(time.Minute)
		expect("after a minute", "7 reason999, 999")
		refuse(r, 7, "again")
		refuse(r, 8, "again")
		expect("in the second minute", "8 again at 192.0.2.1, 0")
		time.Sleep(3 * time.Minute)
		expect("later", "7 again, 1")
		r.mu.Lock()
		if len(r.last) != 0 || r.timer != nil {
			t.Errorf("left: %v", r.last)
		}
		r.mu.Unlock()
		refuse(r, 7, "again")
		refuse(r, 7, "again")
		r.Close()
		expect("at the end", "7 again at 192.0.2.1, 0", "7 again, 1")
	})
}

func TestRefusalsOfAnyNumberOfUsersTakeLittleMemory(t *testing.T) {
	lines := 0
	r := &Refusals[string]{Period: time.Minute, Context: t.Context(), Write: func(string, int) { lines++ }}
	for uid := range uint32(100 * maxRefused) {
		refuse(r, uid, "reason")
	}
	if len(r.last) > maxRefused+1 || lines > maxRefused+1 {
		t.Errorf("%d users, %d lines", len(r.last), lines)
	}
	r.timer.Stop()
}
