// Package suggest finds the word that a mistyped one may stand for.
package suggest

import "strings"

// Of returns the candidate that is nearest to word; empty if none is near. The beginning
// of a candidate is near, too.
func Of(word string, candidates []string) string {
	best, bestDistance := "", 1+max(1, len(word)/3)
	for _, c := range candidates {
		if d := distance(word, c); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	// The beginning of a word is far from it by distance, such as "image" from "imagename".
	if best == "" && len(word) >= 3 {
		for _, c := range candidates {
			if strings.HasPrefix(c, word) {
				return c
			}
		}
	}
	return best
}

// Hint returns a hint with the candidate that is nearest to a mistyped word, however that is
// punctuated, or otherwise if none is near.
func Hint(word string, candidates []string, otherwise string) string {
	plain := strings.NewReplacer("-", "", "_", "", ".", "").Replace(word)
	if best := Of(plain, candidates); best != "" {
		return `did you mean "` + best + `"?`
	}
	return otherwise
}

// distance returns the number of letters to add, remove, change or swap with their
// neighbour. Long words are not compared.
func distance(a, b string) int {
	const far = 64
	if len(a) > far || len(b) > far {
		return far
	}
	var before [far + 1]int
	var prev, cur [far + 1]int
	for j := range len(b) + 1 {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev = prev, cur
	}
	return prev[len(b)]
}
