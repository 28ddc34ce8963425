// Package checks judges a host on which users get dockersh: it finds what lets them get
// past it, and what makes their logins fail. Every check is a pure function of facts.
package checks

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
)

// Severity is how bad a finding is.
type Severity string

// An Error means that somebody gets what the settings do not give, or that logins fail.
// A Warning is worth a thought, and may be right for this host.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is something that is wrong for the host, or for some users.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Users    []string `json:"users"` // empty: the whole host
	Text     string   `json:"text"`
	File     string   `json:"file,omitempty"`  // where the lines belong; empty: they are commands
	Lines    []string `json:"lines,omitempty"` // to write or to run; USER stands for each of the users
	Why      string   `json:"why"`             // where it is explained
}

// fault is what a check finds about the host, a user or an engine.
type fault struct {
	worse bool // an Error, whatever the check's severity
	text  string
	file  string
	lines []string
}

// need is a fact that a check cannot do without. If it is missing, another check reports it.
type need int

const (
	nothing      need = iota
	wantSSHD          // what sshd would do for the user
	wantSettings      // the user's effective settings
	wantEngine        // an engine that answers
)

// check is a row of the table. One of the three functions is set: it checks the host,
// a user, or an engine.
type check struct {
	id       string
	severity Severity
	why      string // where it is explained: the ledger in SECURITY.md or a manual page
	need     need
	host     func(*facts.Host) []fault
	user     func(*facts.Host, *facts.User) *fault
	engine   func(*facts.Host, *facts.Engine) *fault
}

// table returns all checks, in the order of their findings.
func table() []check {
	return slices.Concat(installChecks, usersChecks, sshdChecks, networkChecks, accessChecks, homeChecks, gateChecks, limitChecks,
		recordingChecks, engineChecks)
}

// IDs returns the names of the checks, which are those of their findings.
func IDs() []string {
	var ids []string
	for _, c := range table() {
		ids = append(ids, c.id)
	}
	return ids
}

// Judge returns all findings, errors first. What is found for many users is one finding.
func Judge(h *facts.Host) []Finding {
	var found []Finding
	for _, c := range table() {
		found = append(found, c.judge(h)...)
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Compare(a.Severity, b.Severity) })
	return found
}

// judge returns the findings of one check.
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

// same reports whether two findings differ in nothing but the users.
func (f Finding) same(g Finding) bool {
	return f.ID == g.ID && f.Severity == g.Severity && f.Text == g.Text && f.File == g.File && slices.Equal(f.Lines, g.Lines)
}

// hole returns a reference to the ledger in SECURITY.md.
func hole(n int) string { return "SECURITY.md, holes, " + strconv.Itoa(n) }
