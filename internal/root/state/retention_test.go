package state

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

func newRetentions(t *testing.T) Retentions {
	t.Helper()
	dir := RunDir(t.TempDir())
	if err := dir.Make(); err != nil {
		t.Fatal(err)
	}
	return dir.Retentions()
}

func TestRetentionIsReadBackAsWritten(t *testing.T) {
	l := newRetentions(t)
	for _, want := range []Retention{
		{Engine: engine.Address{Host: "/var/run/docker.sock"}, IdleTimeout: time.Second},
		{Engine: engine.Address{Host: "/a b", TLS: "/c d"}, Ephemeral: true, Linger: time.Hour, IdleTimeout: time.Minute, VacantSince: time.Now().Add(-time.Millisecond)},
	} {
		if err := l.Set("a.b_c", want); err != nil {
			t.Fatal(err)
		}
		if got, err := l.Get("a.b_c"); err != nil || !alike(got, want) {
			t.Errorf("got %+v %v, want %+v", got, err, want)
		}
	}
	if names := l.Names(); !slices.Equal(names, []string{"a.b_c"}) {
		t.Errorf("names %q", names)
	}
	if err := errors.Join(l.Remove("a.b_c"), l.Remove("a.b_c")); err != nil {
		t.Error(err)
	}
	if _, err := l.Get("a.b_c"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// alike compares two retentions, but for how far the clocks advanced meanwhile.
func alike(a, b Retention) bool {
	apart := a.VacantSince.Sub(b.VacantSince).Abs()
	a.VacantSince, b.VacantSince = time.Time{}, time.Time{}
	return a == b && apart < time.Minute
}

func TestClockOfTheHostMayBeSet(t *testing.T) {
	// What is written does not depend on the date.
	if n := bootTime(time.Now()); n > sinceBoot() || n < sinceBoot()-int64(time.Minute) {
		t.Errorf("%d, and the clock from boot on says %d", n, sinceBoot())
	}
	if age := time.Since(fromBootTime(bootTime(time.Now().Add(-time.Second)))); age < time.Second || age > time.Minute {
		t.Errorf("a second became %v", age)
	}
}

// Else it would never be over.
func TestTimeOfAnotherBootIsIgnored(t *testing.T) {
	if at := fromBootTime(sinceBoot() + int64(24*time.Hour)); !at.IsZero() {
		t.Errorf("it is %v", at)
	}
}

func FuzzParseRetention(f *testing.F) {
	f.Add("/var/run/docker.sock\t\ttrue\t900000000000\t0\t1800000000000000000")
	f.Add("x\ty\tfalse\t0\t0\t0")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parseRetention(text)
		if err != nil {
			return
		}
		if time.Until(v.VacantSince) > 0 {
			t.Errorf("%q: it is in the future: %v", text, v.VacantSince)
		}
		if again, err := parseRetention(v.text()); err != nil || !alike(again, v) {
			t.Errorf("%q: %+v, again %+v %v", text, v, again, err)
		}
	})
}

func TestRetentionThatKeepsHasNoEntry(t *testing.T) {
	l := newRetentions(t)
	for _, r := range []Retention{{Ephemeral: true}, {}} {
		if err := l.Set("c", r); err != nil {
			t.Fatal(err)
		}
		if l.Has("c") == r.Keeps() {
			t.Errorf("%+v: entry %v", r, l.Has("c"))
		}
	}
}
