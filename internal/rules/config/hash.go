package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Hash is equal for two settings that make the same container. It is taken after Expand.
//
// It covers the settings that the table marks as made; not the container's name, which
// is which container and not what it is, and not what takes effect at each login. What
// stands for the login (%i, %k, %x) counts as it is written, so that the next login does
// not make another container of it.
//
// A setting that has its default is left out, so that containers do not become outdated
// when a version of dockersh has more settings.
func (s *Settings) Hash() string { return s.hash(func(r *row) bool { return r.hashed }) }

// FixedHash is Hash without the settings that can change while the container exists.
func (s *Settings) FixedHash() string {
	return s.hash(func(r *row) bool { return r.hashed && !r.live })
}

func (s *Settings) hash(counts func(*row) bool) string {
	h := sha256.New()
	for i := range table {
		r := &table[i]
		if !counts(r) || r.under != nil && !r.under(s) {
			continue
		}
		var vals []string
		for _, v := range s.stateOf(r.key).vals {
			if v.hashText != "" {
				vals = append(vals, v.hashText)
			} else {
				vals = append(vals, v.text)
			}
		}
		// A default with a sequence in it is not the same for everybody.
		if slices.Equal(vals, r.defaults()) && !strings.Contains(r.def, "%") {
			continue
		}
		fmt.Fprintf(h, "%s %d\n", r.key, len(vals))
		for _, v := range vals {
			fmt.Fprintf(h, "%d:%s\n", len(v), v)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
