package rundir

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"dockersh/internal/engine"
)

func TestALifeIsReadBackAsItWasWritten(t *testing.T) {
	l := LivesOf(t.TempDir())
	if err := l.Make(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []Life{
		{Engine: engine.Address{Host: "/var/run/docker.sock"}},
		{Engine: engine.Address{Host: "/a b", TLS: "/c d"}, Ephemeral: true, Linger: time.Hour, Idle: time.Minute, Since: time.Unix(1800000000, 5)},
	} {
		if err := l.Set("a.b_c", want); err != nil {
			t.Fatal(err)
		}
		if got, err := l.Get("a.b_c"); err != nil || got != want {
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

func FuzzParseLife(f *testing.F) {
	f.Add("/var/run/docker.sock\t\ttrue\t900000000000\t0\t1800000000000000000")
	f.Add("x\ty\tfalse\t0\t0\t0")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parseLife(text)
		if err != nil {
			return
		}
		if again, err := parseLife(v.text()); err != nil || again != v {
			t.Errorf("%q: %+v, again %+v %v", text, v, again, err)
		}
	})
}
