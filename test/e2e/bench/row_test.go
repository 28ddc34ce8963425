//go:build e2e && bench

package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is a line of the table in docs/performance.md.
type row struct {
	what, ours, other string
	ratio             ratio
	bound             float64 // 0: none, the row is for information
	least             bool    // the bound is a lower one
	rounds            int     // how often it was measured
	firm              ratio   // as ratio, with 99.9 % confidence
}

// ratio is the median of the ratios of all rounds, and the range that has the true median in it
// with 95 % confidence.
type ratio struct{ low, median, high float64 }

// Half of the standard normal deviate of a confidence: how far the range of a median reaches, in
// square roots of the number of rounds.
const (
	reach = 0.98 // 95 %
	firm  = 1.65 // 99.9 %
)

// ratios returns the ratio of a to b by rounds: what disturbs a machine for a while disturbs
// both sides of a round. The range is that of the order statistics of the median (with few
// rounds, all of them).
func ratios(a, b []time.Duration, reach float64) ratio {
	r := make([]float64, min(len(a), len(b)))
	for i := range r {
		r[i] = float64(a[i]) / float64(b[i])
	}
	slices.Sort(r)
	n := float64(len(r))
	outside := int(max(0, math.Floor(n/2-reach*math.Sqrt(n))))
	return ratio{r[outside], r[len(r)/2], r[len(r)-1-outside]}
}

// costRow compares times: ours may be at most bound times the other.
func costRow(what string, ours, other []time.Duration, bound float64) row {
	return row{what: what, ours: ms(median(ours)), other: ms(median(other)), bound: bound,
		ratio: ratios(ours, other, reach), rounds: len(ours), firm: ratios(ours, other, firm)}
}

// throughputRow compares the times of the same work: our throughput must be at least bound times
// the other.
func throughputRow(what string, ours, other []time.Duration, bound float64) row {
	return row{what: what, ours: ms(median(ours)), other: ms(median(other)), bound: bound, least: true,
		ratio: ratios(other, ours, reach), rounds: len(ours), firm: ratios(other, ours, firm)}
}

// limitRow compares times with a fixed limit.
func limitRow(what string, ours []time.Duration, limit time.Duration) row {
	r := costRow(what, ours, slices.Repeat([]time.Duration{limit}, len(ours)), 1)
	r.other = fmt.Sprint(limit)
	return r
}

// memoryRow compares bytes with a fixed limit.
func memoryRow(what string, ours, limit float64) row {
	r := ours / limit
	return row{what: what, ours: kB(ours), other: kB(limit), ratio: ratio{r, r, r}, bound: 1}
}

// fewest rounds may be all on one side of the true median by a chance of 1 in 1000.
const fewest = 11

// settled reports whether more rounds would not change the verdict. A look after each round finds
// by chance what one look would not, so the range is the wider one.
func (r row) settled() bool {
	r.ratio = r.firm
	return r.rounds >= fewest && r.verdict() != "noisy"
}

// measure runs each contender in turns, as race does, until the rows are settled, but at most n
// times. It returns the rows.
func measure(n int, rows func(took [][]time.Duration) []row, contenders ...func() time.Duration) []row {
	return rows(raceUntil(n, func(took [][]time.Duration) bool {
		return len(took[0]) >= fewest && !slices.ContainsFunc(rows(took), func(r row) bool { return !r.settled() })
	}, contenders...))
}

// verdict is "pass" or "FAIL" if the whole range of the ratio is on that side of the bound, and
// "noisy" if the machine was too busy to tell.
func (r row) verdict() string {
	best, worst := r.ratio.low <= r.bound, r.ratio.high <= r.bound
	if r.least {
		best, worst = r.ratio.high >= r.bound, r.ratio.low >= r.bound
	}
	switch {
	case r.bound == 0:
		return ""
	case worst:
		return "pass"
	case best:
		return "noisy"
	}
	return "FAIL"
}

// table returns the rows in Markdown.
func table(rows []row) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	line := func(cells ...string) { fmt.Fprintln(w, "| "+strings.Join(cells, "\t| ")+"\t|") }
	line("what", "ours", "other", "ratio", "range", "bound", "")
	line("---", "---", "---", "---", "---", "---", "---")
	for _, r := range rows {
		bound := fmt.Sprintf("&le; %.3f", r.bound)
		if r.least {
			bound = fmt.Sprintf("&ge; %.3f", r.bound)
		}
		if r.bound == 0 {
			bound = "none"
		}
		line(r.what, r.ours, r.other, fmt.Sprintf("%.3f", r.ratio.median), fmt.Sprintf("%.3f to %.3f", r.ratio.low, r.ratio.high), bound, r.verdict())
	}
	_ = w.Flush()
	return b.String()
}

func median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }

func kB(n float64) string { return fmt.Sprintf("%.0f kB", n/1000) }
