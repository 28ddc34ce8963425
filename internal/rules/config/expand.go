package config

import (
	"fmt"
	"strings"
	"unicode/utf8"

	shellquote "github.com/kballard/go-shellquote"
)

// Expand gives a copy with every %-sequence replaced by what it is for this
// user, and with the container name escaped. The error is of type Errors; it
// tells of settings that do not fit this user, such as a home that is no
// absolute path. What was expanded stays as it is.
func (s *Settings) Expand(v Vars) (*Settings, error) {
	if s.expanded {
		return s, nil // a second time would read a percent sign of the user's as ours
	}
	if err := v.check(); err != nil {
		return nil, err
	}
	out := &Settings{state: make(map[string]state, len(s.state)), expanded: true}
	for key, st := range s.state {
		out.state[key] = st
	}
	var errs Errors
	for i := range table {
		r := &table[i]
		if r.kind != kindString && r.kind != kindArray {
			continue
		}
		st := out.state[r.key]
		vals := make([]value, len(st.vals))
		for i, val := range st.vals {
			text, bad := r.expand(val.text, v)
			if bad != nil {
				errs = append(errs, &Error{val.at, r.key + ": " + bad.text, bad.hint})
			}
			vals[i] = value{text: text, at: val.at}
			if mentions(val.text, ofTheLogin) {
				vals[i].made = val.text // the next login is not another setting
			}
		}
		st.vals = vals
		out.state[r.key] = st
	}
	if err := errs.orNil(); err != nil {
		return nil, err
	}
	name, bad := split(s.ContainerName)
	if bad == nil {
		out.identity = identity(name, v)
	}
	out.fill()
	return out, nil
}

// check refuses a user that no setting can be expanded for.
func (v Vars) check() error {
	for _, c := range []struct{ what, val string }{
		{"the user name", v.User}, {"the home directory", v.Home}, {"the shell", v.Shell},
	} {
		if badCharacter(c.val, "") != nil || !utf8.ValidString(c.val) {
			return Errors{{Text: fmt.Sprintf("%s of %s has characters in it that are not text", c.what, quote(v.User))}}
		}
	}
	if v.User == "" {
		return Errors{{Text: "the user has no name"}}
	}
	return nil
}

// expand replaces the sequences of one value and judges the outcome.
func (r *row) expand(t string, v Vars) (string, *problem) {
	parts, bad := split(t)
	if bad != nil {
		return "", bad
	}
	if r.path && uses(parts, "u") && (strings.ContainsAny(v.User, "/:") || v.User == "." || v.User == "..") {
		return "", &problem{0, fmt.Sprintf("the user name %s may not be part of this", quote(v.User)), ""}
	}
	if r.colon && uses(parts, "i") && strings.Contains(v.Address, ":") {
		return "", &problem{0, fmt.Sprintf("the address %s may not be part of this: a colon means something in it", v.Address), ""}
	}
	switch {
	case r.key == keyContainerName:
		return containerName(parts, v), nil
	case r.raw: // dockeropt: words first, values second
		words, bad := splitDockerOpt(t)
		if bad != nil {
			return "", bad
		}
		for i, w := range words {
			p, bad := split(w)
			if bad != nil {
				return "", bad
			}
			words[i] = join(p, v)
		}
		return shellquote.Join(words...), nil
	}
	val := join(parts, v)
	if r.check == nil || val == "" && r.empty {
		return val, nil
	}
	if r.key == "containerusername" && uses(parts, "uhs") && strings.Trim(val, "0123456789:") == "" {
		// The user called 0 must not become root (the like of CVE-2026-46680).
		return "", &problem{0, fmt.Sprintf("the user name %s looks like a number", quote(val)), ""}
	}
	return val, r.check(val)
}
