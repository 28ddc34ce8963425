// Package checks judges a host on which users get dockersh: what is set so that they
// get past it, or that their logins fail. Every check is a pure function of facts.
package checks

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
)

// Severity says how bad a finding is.
type Severity string

// With an Error, somebody gets what the settings do not give him, or a login
// fails. A Warning is worth a thought, and may be right for this host.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is one thing that is wrong, for one or many users.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Users    []string `json:"users"` // empty: the whole host
	Text     string   `json:"text"`
	File     string   `json:"file,omitempty"`  // where the lines belong; empty: they are commands
	Lines    []string `json:"lines,omitempty"` // what to write or to run; USER stands for each user
	Why      string   `json:"why"`
}

// fault is what a check says of a user, or of the host.
type fault struct {
	worse bool // an Error, though the check's findings are mostly warnings
	text  string
	file  string
	lines []string
}

// need says which facts a check cannot do without. That they are missing is a
// finding of its own.
type need int

const (
	nothing      need = iota
	wantSSHD          // what sshd would do for the user
	wantSettings      // the user's effective settings
	wantEngine        // an engine that answers
)

// check is one row of the table: what it is called, how bad it is, the line of
// the ledger in SECURITY.md that says why, and the function: of the host, of a
// user, or of an engine.
type check struct {
	id       string
	severity Severity
	why      string
	need     need
	host     func(*facts.Host) []fault
	user     func(*facts.Host, *facts.User) *fault
	engine   func(*facts.Host, *facts.Engine) *fault
}

// table holds every check, in the order of the findings.
func table() []check {
	return slices.Concat(installChecks, usersChecks, sshdChecks, accessChecks, homeChecks, limitChecks, recordingChecks, engineChecks)
}

// IDs lists what a finding may be called.
func IDs() []string {
	var ids []string
	for _, c := range table() {
		ids = append(ids, c.id)
	}
	return ids
}

// Judge gives all findings, those of many users as one, errors first.
func Judge(h *facts.Host) []Finding {
	var found []Finding
	for _, c := range table() {
		found = append(found, c.judge(h)...)
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Compare(a.Severity, b.Severity) })
	return found
}

func (c *check) judge(h *facts.Host) []Finding {
	var found []Finding
	add := func(user string, f fault) {
		one := c.finding(f)
		if i := slices.IndexFunc(found, one.same); i >= 0 {
			if user != "" {
				found[i].Users = append(found[i].Users, user)
			}
			return
		}
		if user != "" {
			one.Users = append(one.Users, user)
		}
		found = append(found, one)
	}
	switch {
	case c.host != nil:
		for _, f := range c.host(h) {
			add("", f)
		}
	case c.engine != nil:
		for _, e := range h.Engines {
			if c.need == wantEngine && e.Err != "" {
				continue
			}
			if f := c.engine(h, e); f != nil {
				add("", *f)
			}
		}
	case c.user != nil:
		for _, u := range h.Users {
			if c.need == wantSSHD && u.SSHD == nil || c.need == wantSettings && u.Settings == nil {
				continue
			}
			if f := c.user(h, u); f != nil {
				add(u.Name, *f)
			}
		}
	}
	return found
}

func (c *check) finding(f fault) Finding {
	severity := c.severity
	if f.worse {
		severity = Error
	}
	return Finding{ID: c.id, Severity: severity, Users: []string{}, Text: f.text, File: f.file, Lines: f.lines, Why: c.why}
}

// same tells whether two findings differ in nothing but the users.
func (f Finding) same(g Finding) bool {
	return f.ID == g.ID && f.Severity == g.Severity && f.Text == g.Text && f.File == g.File && slices.Equal(f.Lines, g.Lines)
}

// hole refers to the ledger in SECURITY.md.
func hole(n int) string { return "SECURITY.md, holes, " + strconv.Itoa(n) }
