package history

import (
	"log/slog"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestRefusalsCrowdNoSessionOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history", "log")
	l := Open(path, slog.New(slog.DiscardHandler))
	for range 20 * queued {
		l.Put(Event{Time: time.Now(), Kind: Refused})
	}
	for n := range queued / 2 {
		l.Put(Event{Time: time.Now(), Kind: Start, ID: strconv.Itoa(n)})
	}
	l.Flush(time.Minute)
	starts := 0
	for _, e := range read(t, path) {
		if e.Kind == Start {
			starts++
		}
	}
	if starts != queued/2 {
		t.Errorf("of %d sessions %d are in the history", queued/2, starts)
	}
}
