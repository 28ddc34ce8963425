// Package config turns the bytes of settings files into checked settings, and
// knows for each where it was written. It reads no file and asks nobody: the
// same bytes always give the same settings.
//
// The syntax is that of git's configuration files. A section of the same name
// may stand twice: its second half goes on where the first ended. Settings are
// taken from the built-in defaults, [dockersh], every [group "NAME"] of the
// user in the order of the file, [user "NAME"] and ~/.dockersh; what comes
// later wins, an array as a whole.
//
// Within one section a repeated key replaces a single value and extends an
// array. "KEY =" with nothing behind it makes an array empty, so that a later
// section can take back what an earlier one says; KEY = "" is an element that
// is the empty string.
package config

// MaxFile is the size limit of the administrator's file in bytes.
const MaxFile = 1 << 20

// MaxUserFile is the size limit of ~/.dockersh in bytes.
const MaxUserFile = 64 << 10

// File is a settings file that was read and found right.
type File struct {
	name     string
	sections []*section // in the order of their first appearance
}

// section is one section; several of the same name are one.
type section struct {
	kind    string // sectionAll, sectionGroup or sectionUser
	name    string // of the group or user
	entries map[string]*entry
}

// entry is what one section says about one setting.
type entry struct {
	vals   []value
	origin Origin
}

const (
	sectionAll   = "dockersh"
	sectionGroup = "group"
	sectionUser  = "user"
)

// Groups gives the names of the [group "NAME"] sections, in order of
// appearance, each once.
func (f *File) Groups() []string {
	if f == nil {
		return nil
	}
	var out []string
	for _, s := range f.sections {
		if s.kind == sectionGroup {
			out = append(out, s.name)
		}
	}
	return out
}

// Users gives the names of the [user "NAME"] sections, in order of appearance,
// each once.
func (f *File) Users() []string {
	if f == nil {
		return nil
	}
	var out []string
	for _, s := range f.sections {
		if s.kind == sectionUser {
			out = append(out, s.name)
		}
	}
	return out
}
