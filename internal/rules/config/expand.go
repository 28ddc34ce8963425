package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	shellquote "github.com/kballard/go-shellquote"

	"github.com/dockersh/dockersh/internal/rules/syntax"
	"github.com/dockersh/dockersh/internal/rules/template"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// Expand returns a copy in which every %-sequence is replaced by what it stands for, and
// the container name is escaped. The error is of type syntax.Errors; it names settings
// that do not fit this user, such as a home that is not an absolute path. Expanded
// settings are returned as they are.
func (s *Settings) Expand(v template.Vars) (*Settings, error) {
	if s.expanded {
		return s, nil // a second time would take a percent sign of the user for a sequence
	}
	if err := v.Check(); err != nil {
		return nil, err
	}
	out := &Settings{state: maps.Clone(s.state), expanded: true}
	var errs syntax.Errors
	for i := range table {
		r := &table[i]
		if !r.template() {
			continue
		}
		st := s.stateOf(r.key)
		vals := make([]value, len(st.vals))
		for i, val := range st.vals {
			text, bad := r.expanded(val.text, v)
			if bad != nil {
				errs = append(errs, &syntax.Error{Origin: val.at, Text: r.key + ": " + bad.Text, Hint: bad.Hint})
			}
			vals[i] = value{text: text, at: val.at}
			if template.Uses(val.text, template.OfLogin) {
				vals[i].hashText = val.text // the next login does not have other settings
			}
		}
		if !slices.Equal(vals, st.vals) {
			st.vals = vals
			out.state[r.key] = st
		}
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	if name, bad := template.Parse(s.ContainerName); bad == nil {
		out.identity = name.Identity(v)
	}
	out.fill()
	return out, nil
}

// expanded replaces the sequences of one value and judges the outcome.
func (r *row) expanded(text string, v template.Vars) (string, *syntax.Problem) {
	t, bad := template.Parse(text)
	if bad != nil {
		return "", bad
	}
	if r.path && t.Uses("u") && (strings.ContainsAny(v.User, "/:") || v.User == "." || v.User == "..") {
		return "", syntax.Wrong(fmt.Sprintf("the user name %s may not be part of this", syntax.Quote(v.User)), "")
	}
	if r.colon && t.Uses("i") && strings.Contains(v.Address, ":") {
		return "", syntax.Wrong(fmt.Sprintf("the address %s may not be part of this: a colon has a meaning in it", v.Address), "")
	}
	if r.expand != nil {
		return r.expand(text, t, v)
	}
	val := t.Expand(v)
	if r.check == nil || val == "" && r.empty {
		return val, nil
	}
	if r.number && t.Uses("uhs") && strings.Trim(val, "0123456789:") == "" {
		// The user called 0 must not become root (CVE-2026-46680 is alike).
		return "", syntax.Wrong(fmt.Sprintf("the user name %s looks like a number", syntax.Quote(val)), "")
	}
	return val, r.check(val)
}

func expandContainerName(_ string, t template.Template, v template.Vars) (string, *syntax.Problem) {
	return t.ContainerName(v), nil
}

// expandPattern refuses a value that would turn a name into a pattern: the user called *
// does not have everybody's images.
func expandPattern(text string, t template.Template, v template.Vars) (string, *syntax.Problem) {
	val := t.Expand(v)
	count := func(s string) int { return strings.Count(s, "*") + strings.Count(s, "?") }
	if count(val) != count(text) {
		return "", syntax.Wrong(fmt.Sprintf("%s may not be part of a pattern: * and ? have a meaning in it", syntax.Quote(val)), "")
	}
	return val, values.ImagePattern(val)
}

// expandDockerOpt splits the option into words first, so that no user name can turn one
// word into two.
func expandDockerOpt(text string, _ template.Template, v template.Vars) (string, *syntax.Problem) {
	words, bad := values.SplitDockerOpt(text)
	if bad != nil {
		return "", bad
	}
	for i, w := range words {
		t, bad := template.Parse(w)
		if bad != nil {
			return "", bad
		}
		words[i] = t.Expand(v)
	}
	return shellquote.Join(words...), nil
}
