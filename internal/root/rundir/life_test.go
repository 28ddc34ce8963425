package rundir

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

func TestALifeIsReadBackAsItWasWritten(t *testing.T) {
	l := LivesOf(t.TempDir())
	if err := l.Make(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []Life{
		{Engine: engine.Address{Host: "/var/run/docker.sock"}},
		{Engine: engine.Address{Host: "/a b", TLS: "/c d"}, Ephemeral: true, Linger: time.Hour, Idle: time.Minute, Since: time.Now().Add(-time.Millisecond)},
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

// alike compares but for what the clocks went on meanwhile.
func alike(a, b Life) bool {
	apart := a.Since.Sub(b.Since).Abs()
	a.Since, b.Since = time.Time{}, time.Time{}
	return a == b && apart < time.Minute
}

func TestTheClockOfTheHostMayBeSet(t *testing.T) {
	// What is written says nothing of the date.
	if n := stamp(time.Now()); n > sinceBoot() || n < sinceBoot()-int64(time.Minute) {
		t.Errorf("%d, and the clock from boot on says %d", n, sinceBoot())
	}
	if age := time.Since(unstamp(stamp(time.Now().Add(-time.Second)))); age < time.Second || age > time.Minute {
		t.Errorf("a second became %v", age)
	}
}

// So it is written anew, and does not stay for ever in the time to come.
func TestATimeOfAnotherBootIsNone(t *testing.T) {
	if at := unstamp(sinceBoot() + int64(24*time.Hour)); !at.IsZero() {
		t.Errorf("it is %v", at)
	}
}

func FuzzParseLife(f *testing.F) {
	f.Add("/var/run/docker.sock\t\ttrue\t900000000000\t0\t1800000000000000000")
	f.Add("x\ty\tfalse\t0\t0\t0")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parseLife(text)
		if err != nil {
			return
		}
		if time.Until(v.Since) > 0 {
			t.Errorf("%q: it is yet to come: %v", text, v.Since)
		}
		if again, err := parseLife(v.text()); err != nil || !alike(again, v) {
			t.Errorf("%q: %+v, again %+v %v", text, v, again, err)
		}
	})
}
