//go:build e2e && bench

package bench

import (
	"slices"
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

func TestMeasurementEndsOnceItsVerdictIsFirm(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	for _, c := range []struct {
		ours []time.Duration // of each round
		want int             // rounds
	}{
		{[]time.Duration{1}, fewest},
		{[]time.Duration{100}, fewest},
		{[]time.Duration{10, 30}, 40}, // the range of all has the bound in it
		{slices.Concat([]time.Duration{30}, slices.Repeat([]time.Duration{10}, 39)), 15},
	} {
		round := -1 // the first warms up
		rows := measure(40, func(took [][]time.Duration) []row { return []row{costRow("", took[0], took[1], 2)} },
			func() time.Duration { round++; return c.ours[max(round-1, 0)%len(c.ours)] }, func() time.Duration { return 10 })
		if rows[0].rounds != c.want {
			t.Errorf("%v: %d rounds, want %d", c.ours[:min(2, len(c.ours))], rows[0].rounds, c.want)
		}
	}
}

func TestRatiosAreThoseOfTheRounds(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	// A machine that is twice as slow for half of the rounds changes nothing.
	if got := ratios([]time.Duration{2, 4, 2, 4}, []time.Duration{1, 2, 1, 2}, reach); got != (ratio{2, 2, 2}) {
		t.Errorf("%v", got)
	}
	if got := ratios([]time.Duration{1, 2, 3}, []time.Duration{1, 1, 1}, reach); got != (ratio{1, 2, 3}) {
		t.Errorf("%v", got)
	}
	var many, ones []time.Duration
	for i := range 100 {
		many, ones = append(many, time.Duration(i)), append(ones, 1)
	}
	if got := ratios(many, ones, reach); got != (ratio{40, 50, 59}) {
		t.Errorf("%v", got)
	}
}
