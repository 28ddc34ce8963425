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
}

// ratio is the median of the ratios of all rounds, and the range that has the true median in it
// with 95 % confidence.
type ratio struct{ low, median, high float64 }

// ratios returns the ratio of a to b by rounds: what disturbs a machine for a while disturbs
// both sides of a round. The range is that of the order statistics of the median (with 7 rounds
// or fewer, all of them).
func ratios(a, b []time.Duration) ratio {
	r := make([]float64, min(len(a), len(b)))
	for i := range r {
		r[i] = float64(a[i]) / float64(b[i])
	}
	slices.Sort(r)
	n := float64(len(r))
	outside := int(max(0, math.Floor(n/2-0.98*math.Sqrt(n))))
	return ratio{r[outside], r[len(r)/2], r[len(r)-1-outside]}
}

// costRow compares times: ours may be at most bound times the other.
func costRow(what string, ours, other []time.Duration, bound float64) row {
	return row{what, ms(median(ours)), ms(median(other)), ratios(ours, other), bound, false}
}

// throughputRow compares the times of the same work: our throughput must be at least bound times
// the other.
func throughputRow(what string, ours, other []time.Duration, bound float64) row {
	return row{what, ms(median(ours)), ms(median(other)), ratios(other, ours), bound, true}
}

// limitRow compares times with a fixed limit.
func limitRow(what string, ours []time.Duration, limit time.Duration) row {
	return row{what, ms(median(ours)), fmt.Sprint(limit), ratios(ours, slices.Repeat([]time.Duration{limit}, len(ours))), 1, false}
}

// memoryRow compares bytes with a fixed limit.
func memoryRow(what string, ours, limit float64) row {
	r := ours / limit
	return row{what, kB(ours), kB(limit), ratio{r, r, r}, 1, false}
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
