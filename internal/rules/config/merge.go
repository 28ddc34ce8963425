package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	shellquote "github.com/kballard/go-shellquote"
)

// Effective merges the built-in defaults, [dockersh], each [group "NAME"] for
// which member(NAME), [user "USER"], and what the gates let through of
// userFile, which may be nil. A nil File has the defaults alone, a nil member
// is in no group.
//
// While enableuserconfig is off, userFile is not looked at. A setting in it
// whose gate is closed is an error, not a thing to pass over: the user would
// take it as given. The error is of type Errors.
func (f *File) Effective(user string, member func(group string) bool, userFile *File) (*Settings, error) {
	s := &Settings{state: make(map[string]state, 2*len(table))}
	for i := range table {
		r := &table[i]
		s.state[r.key] = defaultState(r.def)
		if r.gate {
			s.state[gatePrefix+r.key] = defaultState([]string{"false"})
		}
	}
	if f != nil {
		s.take(f.section(sectionAll, ""), false)
		for _, sec := range f.sections {
			if sec.kind == sectionGroup && member != nil && member(sec.name) {
				s.take(sec, false)
			}
		}
		s.take(f.section(sectionUser, user), false)
	}
	s.fill()
	var errs Errors
	if userFile != nil && s.EnableUserConfig {
		own := userFile.section(sectionAll, "")
		errs = s.closed(own)
		s.take(own, true)
		s.fill()
	}
	if len(s.Cmd) > 0 && s.Entrypoint == Internal {
		errs = append(errs, &Error{s.Origin("cmd"), `"cmd" needs an entrypoint of your own`,
			"set entrypoint to the program that takes these arguments"})
	}
	if strings.HasPrefix(s.DockerSocket, "tcp://") && s.DockerTLS == "" {
		errs = append(errs, &Error{s.Origin("dockersocket"), `an engine at tcp:// needs "dockertls"`,
			"without certificates whoever reaches the port has the engine's host"})
	}
	if err := errs.orNil(); err != nil {
		return nil, err
	}
	return s, nil
}

func defaultState(def []string) state {
	st := state{vals: make([]value, len(def))}
	for i, d := range def {
		st.vals[i].text = d
	}
	return st
}

// take lets a section win over all before.
func (s *Settings) take(sec *section, fromUser bool) {
	if sec == nil {
		return
	}
	for key, e := range sec.entries {
		s.state[key] = state{vals: e.vals, origin: e.origin, set: true, fromUser: fromUser}
	}
}

// closed finds the settings of ~/.dockersh that the administrator has not
// opened.
func (s *Settings) closed(own *section) Errors {
	var errs Errors
	if own == nil {
		return nil
	}
	for key, e := range own.entries {
		if !s.gateOpen(key) {
			errs = append(errs, &Error{e.origin, fmt.Sprintf("%q may not be set here: the administrator has not switched on %s%s", key, gatePrefix, key), ""})
		}
	}
	return errs
}

// fill sets the typed fields from the state, whose values were checked when
// they were read.
func (s *Settings) fill() {
	for i := range table {
		r := &table[i]
		vals := s.state[r.key].vals
		switch p := r.field(s).(type) {
		case *string:
			*p = vals[0].text
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
