package sessions

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/state"
)

// past is a session, a refusal or a shell of the host as sessions --history lists it.
type past struct {
	history.Event
	Until   time.Time `json:"until,omitzero"`
	Seconds *float64  `json:"seconds,omitempty"` // missing: the end is not known
	Status  string    `json:"status"`
}

// listHistory lists the sessions of a user (empty: of all users) that were live since a
// time (empty: since the beginning), the newest last.
func listHistory(out io.Writer, user, from string, asJSON bool) error {
	now := time.Now()
	since, err := parseTime(from, now)
	if err != nil {
		return err
	}
	all := history.Collector{Since: since, Live: map[string]bool{}, Keep: func(e history.Event) bool {
		return user == "" || e.User == user || strconv.FormatUint(uint64(e.UID), 10) == user
	}}
	for _, s := range state.RunDir(paths.Run).Sessions().Live() {
		all.Live[s.ID] = true
	}
	if err := history.Each(paths.History(), all.Add); err != nil {
		return err
	}
	rows := []past{}
	for _, s := range all.Sessions() {
		if p := pastOf(s, all.Live[s.ID], now); !p.end(now).Before(since) {
			rows = append(rows, p)
		}
	}
	if asJSON {
		return cli.PrintJSON(out, rows)
	}
	return printHistory(out, rows)
}

// pastOf returns the row of a session; live reports whether it goes on.
func pastOf(s *history.Session, live bool, now time.Time) past {
	p := past{Event: s.Event, Until: s.Until, Status: s.Status(live)}
	switch {
	case s.Ended && s.Kind != history.Refused && s.Kind != history.HostShell:
		p.Seconds = new(s.Until.Sub(s.Time).Seconds())
	case !s.Ended && live:
		p.Until, p.Seconds = time.Time{}, new(now.Sub(s.Time).Seconds())
	}
	return p
}

// end returns the last time of which anything is known, which is now if the session
// goes on.
func (p past) end(now time.Time) time.Time {
	switch {
	case !p.Until.IsZero():
		return p.Until
	case p.Seconds != nil:
		return now
	}
	return p.Time
}

func printHistory(out io.Writer, rows []past) error {
	return cli.PrintTable(out, rows, []cli.Column[past]{
		{Head: "USER", Value: func(p past) string { return cmp.Or(p.User, strconv.FormatUint(uint64(p.UID), 10)) }},
		{Head: "CLIENT", Value: func(p past) string { return p.Client }},
		{Head: "TTY", Value: func(p past) string {
			if p.Connection {
				return "connection"
			}
			return p.TTY
		}},
		{Head: "CONTAINER", Value: func(p past) string { return p.Container }},
		{Head: "SINCE", Value: func(p past) string { return p.Time.Local().Format(time.DateTime) }},
		{Head: "DURATION", Value: func(p past) string {
			if p.Seconds == nil {
				return ""
			}
			return human.Clock(*p.Seconds)
		}},
		{Head: "STATUS", Value: func(p past) string {
			if why := p.Lost + p.Reason; why != "" && (p.Status == "lost" || p.Status == "refused") {
				if p.Number > 1 {
					return p.Status + " " + strconv.Itoa(p.Number) + " times: " + why
				}
				return p.Status + ": " + why
			}
			return p.Status
		}},
		{Head: "COLD", Value: func(p past) string { return p.Cold }},
		{Head: "COMMAND", Value: func(p past) string {
			if p.Cut {
				return quoted(p.Command) + "..."
			}
			return quoted(p.Command)
		}},
	})
}

// quoted returns a command on one line: nothing in it can control the terminal or look
// like another row.
func quoted(s string) string {
	if s == "" {
		return ""
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

// parseTime parses a duration before now, or a date. The zero time stands for an empty
// s. Errors are cli.ErrMisuse.
func parseTime(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 100_000 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, form := range []string{time.DateOnly, "2006-01-02 15:04", time.DateTime, time.RFC3339} {
		if at, err := time.ParseInLocation(form, s, now.Location()); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf(
		"%w: %q is neither a duration such as 2h or 7d nor a date such as 2026-11-24 or \"2026-11-24 15:04\"", cli.ErrMisuse, s)
}
