package config

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	shellquote "github.com/kballard/go-shellquote"

	"github.com/dockersh/dockersh/internal/rules/syntax"
	"github.com/dockersh/dockersh/internal/rules/template"
)

// state is what a file has of one setting, besides the value of its field.
type state struct {
	vals     []value
	origin   syntax.Origin
	set      bool // a file has it
	fromUser bool // ~/.dockersh has it
}

// value is one value with its own place: the elements of an array stand on lines of
// their own.
type value struct {
	text     string
	at       syntax.Origin
	hashText string // what Hash uses instead of text; empty: text
}

// Merge returns the settings of a user: the built-in defaults, [dockersh], each
// [group "NAME"] for which member(NAME), [user "USER"], and what the gates let through of
// userFile, which may be nil; what comes later wins. A nil File has the defaults alone; a
// nil member is in no group.
//
// While enableuserconfig is off, userFile is ignored. A setting in it whose gate is
// closed is an error and not ignored: the user would rely on it. The error is of type
// syntax.Errors.
func (f *File) Merge(user string, member func(group string) bool, userFile *File) (*Settings, error) {
	s := &Settings{state: map[string]state{}}
	if f != nil {
		s.merge(f.section(sectionAll, ""), false)
		for _, sec := range f.sections {
			if sec.kind == sectionGroup && member != nil && member(sec.name) {
				s.merge(sec, false)
			}
		}
		s.merge(f.section(sectionUser, user), false)
	}
	s.fill()
	var errs syntax.Errors
	if userFile != nil && s.EnableUserConfig {
		own := userFile.section(sectionAll, "")
		errs = s.closed(own)
		s.merge(own, true)
		s.fill()
	}
	for i := range table {
		if r := &table[i]; r.needs != nil {
			if bad := r.needs(s); bad != nil {
				errs = append(errs, &syntax.Error{Origin: s.Origin(r.key), Text: bad.Text, Hint: bad.Hint})
			}
		}
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// defaults are the values of every setting and gate that no file sets. All Settings share them:
// a broker has those of every login that waits.
var defaults = sync.OnceValue(func() map[string][]value {
	all := make(map[string][]value, 2*len(table))
	for i := range table {
		r := &table[i]
		for _, text := range r.defaults() {
			all[r.key] = append(all[r.key], value{text: text})
		}
		if r.gate {
			all[gatePrefix+r.key] = []value{{text: "false"}}
		}
	}
	return all
})

// stateOf returns the state of a setting or a gate.
func (s *Settings) stateOf(key string) state {
	if st, ok := s.state[key]; ok {
		return st
	}
	return state{vals: defaults()[key]}
}

// merge lets a section win over everything before.
func (s *Settings) merge(sec *section, fromUser bool) {
	if sec == nil {
		return
	}
	for key, e := range sec.entries {
		s.state[key] = state{vals: e.vals, origin: e.origin, set: true, fromUser: fromUser}
	}
}

// closed finds the settings of ~/.dockersh whose gates the administrator has not opened.
func (s *Settings) closed(own *section) syntax.Errors {
	var errs syntax.Errors
	if own == nil {
		return nil
	}
	for key, e := range own.entries {
		if !s.gateOpen(key) {
			errs = append(errs, &syntax.Error{Origin: e.origin,
				Text: fmt.Sprintf("%q is not allowed here: the administrator has not set %s%s", key, gatePrefix, key)})
		}
	}
	return errs
}

// fill sets the fields from the state, whose values were checked when they were read.
func (s *Settings) fill() {
	for i := range table {
		r := &table[i]
		vals := s.stateOf(r.key).vals
		switch p := r.field(s).(type) {
		case *string:
			*p = vals[0].text
		case *Number:
			*p = Number(vals[0].text)
		case *bool:
			*p = vals[0].text == "true"
		case *int:
			*p, _ = strconv.Atoi(vals[0].text)
		case *time.Duration:
			*p, _ = time.ParseDuration(vals[0].text)
		case *[]string:
			*p = nil
			for _, v := range vals {
				*p = append(*p, v.text)
			}
		case *[][]string:
			*p = nil
			for _, v := range vals {
				words, _ := shellquote.Split(v.text)
				*p = append(*p, words)
			}
		}
	}
}

// Origin returns where the effective value of key was written.
func (s *Settings) Origin(key string) syntax.Origin { return s.state[key].origin }

// FromUser reports whether the effective value of key came from ~/.dockersh.
func (s *Settings) FromUser(key string) bool { return s.state[key].fromUser }

// FirstHashedFromUser returns the first setting of ~/.dockersh that makes the container what it
// is; empty if there is none.
func (s *Settings) FirstHashedFromUser() string {
	for i := range table {
		r := &table[i]
		if r.hashed && (r.under == nil || r.under(s)) && s.FromUser(r.key) {
			return r.key
		}
	}
	return ""
}

// IsSet reports whether a file set key: its value is not the built-in default, though it
// may equal it.
func (s *Settings) IsSet(key string) bool { return s.state[key].set }

// UserMay reports whether ~/.dockersh may set key: it is read, and the gate
// "enableuser"+key is open.
func (s *Settings) UserMay(key string) bool {
	return s.EnableUserConfig && s.gateOpen(key)
}

// UserShapes reports whether ~/.dockersh may have a say in what the container is made of.
func (s *Settings) UserShapes() bool {
	return slices.ContainsFunc(table[:], func(r row) bool { return r.hashed && s.UserMay(r.key) })
}

func (s *Settings) gateOpen(key string) bool {
	vals := s.state[gatePrefix+key].vals
	return len(vals) == 1 && vals[0].text == "true"
}

// Uses reports, before Expand, whether a setting has this sequence in it.
func (s *Settings) Uses(letter byte) bool { return s.UsedBy(letter) != "" }

// UsedBy returns, before Expand, the first setting that has this sequence in it; empty
// if there is none.
func (s *Settings) UsedBy(letter byte) string {
	for i := range table {
		if !table[i].template() {
			continue
		}
		for _, v := range s.stateOf(table[i].key).vals {
			if template.Uses(v.text, string(letter)) {
				return table[i].key
			}
		}
	}
	return ""
}

// Identity returns, after Expand, for whom the container name stands: the variables in
// it with their values, such as "u=alice". It is empty if the name has no variable in it:
// all who are given the name share the container. Containers of one name and different
// identities belong to different people.
func (s *Settings) Identity() string { return s.identity }

// Personal reports, after Expand, whether the container name has the user in it (%u or
// %U), so that the container belongs to one user alone.
func (s *Settings) Personal() bool { return template.Personal(s.identity) }

// Setting is one effective setting, for people to read.
type Setting struct {
	Key    string
	Values []string // exactly one unless Array
	Array  bool
	Origin syntax.Origin // of an array: of its first element
}

// All returns every setting and gate in the order of the table.
func (s *Settings) All() []Setting {
	var out []Setting
	for i := range table {
		r := &table[i]
		out = append(out, s.one(r.key, r.kind() == kindArray))
		if r.key == keyEnableUserConfig {
			for j := range table {
				if table[j].gate {
					out = append(out, s.one(gatePrefix+table[j].key, false))
				}
			}
		}
	}
	return out
}

func (s *Settings) one(key string, array bool) Setting {
	st := s.stateOf(key)
	out := Setting{Key: key, Array: array, Origin: st.origin, Values: make([]string, 0, len(st.vals))}
	for _, v := range st.vals {
		out.Values = append(out.Values, v.text)
	}
	return out
}
