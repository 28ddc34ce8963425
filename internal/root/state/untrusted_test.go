package state

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/proto/printable"
)

func TestWhatABrokerWritesIsReadAsOfAUser(t *testing.T) {
	d := newSessions(t)
	r, end := front(t)
	r.UID, r.User, r.Container, r.Key, r.Since = 7, `DOM\a b`, "u7_."+strings.Repeat("c", 100), strings.Repeat("k", 43), time.Now().Truncate(time.Second)
	add(t, d, r)
	if all, forged := d.LiveOf(7, -1); len(all) != 1 || all[0] != r || forged != 0 {
		t.Errorf("%+v, %d forged", all, forged)
	}
	forgery := r
	forgery.ID = "x"
	add(t, d, forgery)
	if all, forged := d.LiveOf(7, -1); len(all) != 1 || forged != 1 {
		t.Errorf("%+v, %d forged", all, forged)
	}
	end()
	if all, forged := d.LiveOf(7, -1); len(all) != 0 || forged != 0 {
		t.Errorf("of a front that has ended: %+v, %d forged", all, forged)
	}
	if err := os.RemoveAll(string(d)); err != nil {
		t.Fatal(err)
	}
	if all, forged := d.LiveOf(7, -1); len(all) != 0 || forged != 0 {
		t.Errorf("%+v, %d forged", all, forged)
	}
}

// What is accepted can be listed: as JSON, and on a terminal.
func FuzzEntryOfAUser(f *testing.F) {
	f.Add("7.77.123456.abcdefghijkl.alice_dockersh", "1700000000\talice\t\tkey")
	f.Add("7.77.123456.abcdefghijkl.a~", "999999999999999\talice\t\t")
	f.Add("7.77.1.abcdefghijk\u202e.c", "1\tx\t\t\u009b")
	f.Fuzz(func(t *testing.T, name, text string) {
		s, ok := parseSession(name)
		if !ok || !s.parseUntrusted(text, time.Unix(1800000000, 0)) {
			return
		}
		if _, err := json.Marshal(s.Since); err != nil || len(s.ID) != 12 || len(s.Container) > 128 || len(s.Key) > 64 ||
			strings.ContainsFunc(s.ID+s.Container+s.Key, printable.IsUnsafe) || strings.HasPrefix(s.Container, "-") {
			t.Errorf("%+q %+q: %+v %v", name, text, s, err)
		}
	})
}
