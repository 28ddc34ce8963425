package policy

import (
	"cmp"
	"errors"
	"path"
	"slices"

	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// Recordings returns the templates of the paths of recordings that a settings file names.
func Recordings(file *config.File) (all []string) {
	_, _ = forEachSection(file, func(s *config.Settings) {
		if t := recordOf(s); t != "" && !slices.Contains(all, t) {
			all = append(all, t)
		}
	})
	return all
}

// recordOf returns the template of recordings, which has one spelling for one place.
func recordOf(s *config.Settings) string {
	if s.Record == "" {
		return ""
	}
	return path.Clean(s.Record)
}

// RecordLimit is how much space the recordings of one template may take.
type RecordLimit struct {
	Template string
	Most     int64 // bytes
	// Others are templates with another limit, or none: what they can have named is not of this one.
	Others []string
}

// RecordLimits returns the templates whose recordings have a limit. Where sections differ about one,
// the largest limit counts, and none is larger than any. If a section has an error nobody knows which
// limit it means, and there is no answer.
func RecordLimits(file *config.File) (limited []RecordLimit, err error) {
	all, err := recordSections(file)
	if err != nil {
		return nil, err
	}
	most := map[string]int64{}
	for i, a := range all {
		for j, b := range all {
			if a.record != "" && (i == j || a.mayHaveMaxOf(b, j > i)) {
				most[a.record] = max(most[a.record], b.most)
			}
		}
	}
	for template, n := range most {
		if n == noMost {
			continue
		}
		l := RecordLimit{Template: template, Most: n}
		for other, m := range most {
			if m != n {
				l.Others = append(l.Others, other)
			}
		}
		slices.Sort(l.Others)
		limited = append(limited, l)
	}
	slices.SortFunc(limited, func(a, b RecordLimit) int { return cmp.Compare(a.Template, b.Template) })
	return limited, nil
}

const noMost = 1<<63 - 1

// recordSection is what the users of one section have.
type recordSection struct {
	record               string
	most                 int64
	setsRecord, setsMost bool // the section has it, and not only that for all users
	ofUser               bool
}

func recordSections(file *config.File) (all []recordSection, err error) {
	var base *config.Settings
	ofAll, ofOthers := forEachSection(file, func(s *config.Settings) {
		if base == nil {
			base = s
		}
		r := recordSection{
			record: recordOf(s), most: noMost, ofUser: len(all) > len(file.Groups()),
			setsRecord: s.Origin("record") != base.Origin("record"), setsMost: s.Origin("recordmax") != base.Origin("recordmax"),
		}
		if n := values.Bytes(s.RecordMax); n > 0 {
			r.most = int64(min(n, 1<<62))
		}
		all = append(all, r)
	})
	return all, errors.Join(ofAll, ofOthers)
}

// mayHaveMaxOf reports whether somebody of both sections has record of a and recordmax of b: of
// what both set, the later section's counts.
func (a recordSection) mayHaveMaxOf(b recordSection, bIsLater bool) bool {
	if !a.setsRecord || !b.setsMost || a.ofUser && b.ofUser {
		return false
	}
	return bIsLater && !b.setsRecord || !bIsLater && !a.setsMost
}
