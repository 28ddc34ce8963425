//go:build e2e && bench

package bench

import (
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestVerdictDependsOnTheRangeOfTheRatio(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	for _, c := range []struct {
		ratio ratio
		least bool
		want  string
	}{
		{ratio{0.9, 0.95, 1}, false, "pass"},
		{ratio{0.9, 0.95, 1.1}, false, "noisy"},
		{ratio{0.9, 1.05, 1.1}, false, "noisy"},
		{ratio{1.01, 1.05, 1.1}, false, "FAIL"},
		{ratio{1, 1.05, 1.1}, true, "pass"},
		{ratio{0.9, 1.05, 1.1}, true, "noisy"},
		{ratio{0.9, 0.95, 0.99}, true, "FAIL"},
	} {
		if got := (row{ratio: c.ratio, bound: 1, least: c.least}).verdict(); got != c.want {
			t.Errorf("%v, least %v: %s, want %s", c.ratio, c.least, got, c.want)
		}
	}
}

func TestRatiosAreThoseOfTheRounds(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	// A machine that is twice as slow for half of the rounds changes nothing.
	if got := ratios([]time.Duration{2, 4, 2, 4}, []time.Duration{1, 2, 1, 2}); got != (ratio{2, 2, 2}) {
		t.Errorf("%v", got)
	}
	if got := ratios([]time.Duration{1, 2, 3}, []time.Duration{1, 1, 1}); got != (ratio{1, 2, 3}) {
		t.Errorf("%v", got)
	}
	var many, ones []time.Duration
	for i := range 100 {
		many, ones = append(many, time.Duration(i)), append(ones, 1)
	}
	if got := ratios(many, ones); got != (ratio{40, 50, 59}) {
		t.Errorf("%v", got)
	}
}
