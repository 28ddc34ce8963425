// Package config is what settings files mean: which settings there are, what each section
// sets and where, and how sections and files merge into the settings of one user. It reads
// no file and asks no service: the same bytes always mean the same. Package settings applies
// it to this host.
//
// Settings are taken from the built-in defaults, [dockersh], every [group "NAME"] of the
// user in the order of the file, [user "NAME"] and ~/.dockersh. What comes later wins,
// an array as a whole. A section may be written in several parts, which are read as one.
//
// Within one section a repeated key replaces a single value and extends an array.
// "KEY =" with nothing after it empties an array, so that a later section can undo an
// earlier one; KEY = "" is an element that is the empty string.
//
// # A new setting
//
// A new setting is a field and a row in table.go, next to each other in the order of the
// manual page. From them follow the parser, its errors, the gate, the %-sequences, the
// hash that makes a container outdated, explain, and the tests of all these. Beyond that
// it takes
//
//   - a check in package values, if none there fits;
//   - the place that uses it; for a setting that reaches the engine these are
//     policy.Plan.Spec, engine.Spec and createArgs in engine/docker/dialect;
//   - its paragraph in docs/man/dockershrc.5 (a test compares its first lines with the
//     row), and a line in NEWS.md.
package config

import "github.com/dockersh/dockersh/internal/rules/syntax"

// MaxFile is the largest size of the administrator's file in bytes.
const MaxFile = 1 << 20

// MaxUserFile is the largest size of ~/.dockersh in bytes.
const MaxUserFile = 64 << 10

// A user's file is read by the broker, which serves the others meanwhile, and keeps what is
// in it while the session lives. MaxUserValue is how long a value may be in bytes, as long as
// the longest path (PATH_MAX), and MaxUserSettings how many settings it may have.
// MaxUserErrors is how many errors of the syntax, and how many of settings, are reported
// before the rest is left unread.
const (
	MaxUserValue    = 4096
	MaxUserSettings = 1000
	MaxUserErrors   = 10
)

// File is a settings file without errors.
type File struct {
	sections []*section // in the order of their first appearance
}

// section is all that the file has below one [KIND "NAME"].
type section struct {
	kind    string // sectionAll, sectionGroup or sectionUser
	name    string // of the group or user
	origin  syntax.Origin
	entries map[string]*entry
}

// entry is what one section has about one setting.
type entry struct {
	vals   []value
	origin syntax.Origin
}

const (
	sectionAll   = "dockersh"
	sectionGroup = "group"
	sectionUser  = "user"
)

// Parse reads the administrator's file. The error is of type syntax.Errors and has
// everything that is wrong; there is no File then.
func Parse(file string, src []byte) (*File, error) {
	r := reader{out: &File{}, limits: syntax.Limits{Size: MaxFile}, known: `the sections are [dockersh], [group "NAME"] and [user "NAME"]`}
	return r.read(file, src)
}

// ParseUser reads a ~/.dockersh: only [dockersh], and only settings that have a gate.
// Merge finds out whether the gate is open.
func ParseUser(file string, src []byte) (*File, error) {
	r := reader{out: &File{}, user: true, known: "only [dockersh] is read here",
		limits: syntax.Limits{Size: MaxUserFile, Value: MaxUserValue, Settings: MaxUserSettings, Errors: MaxUserErrors}}
	return r.read(file, src)
}

// Groups returns the names of the [group "NAME"] sections in the order of their first
// appearance.
func (f *File) Groups() []string { return f.names(sectionGroup) }

// Users returns the names of the [user "NAME"] sections in the order of their first
// appearance.
func (f *File) Users() []string { return f.names(sectionUser) }

// GroupOrigin returns where the first [group "NAME"] of that name is written.
func (f *File) GroupOrigin(name string) syntax.Origin {
	if s := f.section(sectionGroup, name); s != nil {
		return s.origin
	}
	return syntax.Origin{}
}

// HostShell reports whether [user "NAME"] sets a shell of the host for the user, whatever
// other sections set.
func (f *File) HostShell(user string) bool {
	if f == nil {
		return false
	}
	s := f.section(sectionUser, user)
	if s == nil {
		return false
	}
	e := s.entries["hostshell"]
	return e != nil && len(e.vals) == 1 && e.vals[0].text != ""
}

// Empty reports whether the file has no section.
func (f *File) Empty() bool { return len(f.sections) == 0 }

func (f *File) names(kind string) []string {
	if f == nil {
		return nil
	}
	var out []string
	for _, s := range f.sections {
		if s.kind == kind {
			out = append(out, s.name)
		}
	}
	return out
}

// section finds a section; nil if there is none.
func (f *File) section(kind, name string) *section {
	for _, s := range f.sections {
		if s.kind == kind && s.name == name {
			return s
		}
	}
	return nil
}
