package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/rules/syntax"
	"github.com/dockersh/dockersh/internal/rules/template"
)

// parsed reads an administrator's file that must be right.
func parsed(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("rc", []byte(text))
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return f
}

func parsedUser(t *testing.T, text string) *File {
	t.Helper()
	f, err := ParseUser("own", []byte(text))
	if err != nil {
		t.Fatalf("ParseUser(%q): %v", text, err)
	}
	return f
}

// effective returns the settings of alice, who is in these groups.
func effective(t *testing.T, f, own *File, groups ...string) *Settings {
	t.Helper()
	s, err := f.Merge("alice", memberOf(groups...), own)
	if err != nil {
		t.Fatalf("Merge: %v", err)
	}
	return s
}

func memberOf(groups ...string) func(string) bool {
	return func(g string) bool {
		for _, m := range groups {
			if m == g {
				return true
			}
		}
		return false
	}
}

// lines returns every error as "LINE:COL: TEXT [HINT]", one a line.
func lines(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var es syntax.Errors
	if !errors.As(err, &es) {
		t.Fatalf("error of type %T, want syntax.Errors: %v", err, err)
	}
	out := make([]string, len(es))
	for i, e := range es {
		_, out[i], _ = strings.Cut(e.Error(), ":")
		if e.Hint != "" {
			out[i] += " [" + e.Hint + "]"
		}
	}
	return strings.Join(out, "\n")
}

// value1 returns the value of a setting that is not an array.
func value1(t *testing.T, s *Settings, key string) string {
	t.Helper()
	vals := s.stateOf(key).vals
	if len(vals) != 1 {
		t.Fatalf("%s has %d values", key, len(vals))
	}
	return vals[0].text
}

// list returns the values of an array between bars.
func list(s *Settings, key string) string {
	return strings.Join(s.one(key, true).Values, "|")
}

// validName is the engine's rule for the name of a container, and ours for directories.
func validName(s string) bool {
	return syntax.FirstOther(s, "_.-") < 0 && len(s) >= 2 && len(s) <= 100 && syntax.Alnum(s[0])
}

func alice() template.Vars {
	return template.Vars{User: "alice", Home: "/home/alice", Shell: "/bin/bash", UID: 1001, GID: 100}
}
