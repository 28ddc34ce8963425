package policy

import (
	"slices"

	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// Recordings returns the templates of the paths of recordings that a settings file names.
func Recordings(file *config.File) (all []string) {
	_ = forEachSection(file, func(s *config.Settings) {
		if s.Record != "" && !slices.Contains(all, s.Record) {
			all = append(all, s.Record)
		}
	})
	return all
}

// RecordLimit is how much space the recordings of one template may take.
type RecordLimit struct {
	Template string
	Most     int64 // bytes
}

// RecordLimits returns the templates whose recordings have a limit. Where sections differ about one,
// the largest limit counts, and none is larger than any.
func RecordLimits(file *config.File) (all []RecordLimit, err error) {
	unlimited := map[string]bool{}
	err = forEachSection(file, func(s *config.Settings) {
		if s.Record == "" {
			return
		}
		most := int64(min(values.Bytes(s.RecordMax), 1<<62))
		if most <= 0 {
			unlimited[s.Record] = true
			return
		}
		at := slices.IndexFunc(all, func(l RecordLimit) bool { return l.Template == s.Record })
		if at < 0 {
			at = len(all)
			all = append(all, RecordLimit{Template: s.Record})
		}
		all[at].Most = max(all[at].Most, most)
	})
	return slices.DeleteFunc(all, func(l RecordLimit) bool { return unlimited[l.Template] }), err
}
