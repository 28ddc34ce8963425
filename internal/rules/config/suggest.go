package config

import (
	"strings"

	"github.com/dockersh/dockersh/internal/rules/suggest"
)

// didYouMean gives the candidate that is nearest to a mistyped word as a hint,
// or otherwise when none is near.
func didYouMean(word string, candidates []string, otherwise string) string {
	w := strings.NewReplacer("-", "", "_", "", ".", "").Replace(word)
	if best := suggest.Of(w, candidates); best != "" {
		return `did you mean "` + best + `"?`
	}
	return otherwise
}
