package sessions

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/sessions"
)

// past is one session, refusal or host shell in a listing.
type past struct {
	history.Event
	Until   time.Time `json:"until,omitzero"`
	Seconds *float64  `json:"seconds,omitempty"` // missing where the end is not known
	Status  string    `json:"status"`
}

// pastSessions lists what became of sessions, the newest last.
func pastSessions(out io.Writer, user, from string, asJSON bool) error {
	now := time.Now()
	since, err := moment(from, now)
	if err != nil {
		return err
	}
	records, err := history.Read(paths.History())
	if err != nil {
		return err
	}
	in := map[string]bool{}
	for _, r := range sessions.Of(paths.Run).All() {
		in[r.ID] = true
	}
	rows := []past{}
	for _, s := range history.Sessions(records) {
		if user != "" && s.User != user && strconv.FormatUint(uint64(s.UID), 10) != user {
			continue
		}
		if p := pastOf(s, in[s.ID], now); !p.over().Before(since) {
			rows = append(rows, p)
		}
	}
	if asJSON {
		return json.NewEncoder(out).Encode(rows)
	}
	return table(out, rows)
}

func pastOf(s history.Session, in bool, now time.Time) past {
	p := past{Event: s.Event, Until: s.Until, Status: s.Status(in)}
	switch {
	case s.Ended && s.Kind != history.Refused && s.Kind != history.HostShell:
		p.Seconds = new(s.Until.Sub(s.Time).Seconds())
	case !s.Ended && in:
		p.Until, p.Seconds = time.Time{}, new(now.Sub(s.Time).Seconds())
	}
	return p
}

// over is the last that is known of it; of one that goes on, now or later.
func (p past) over() time.Time {
	switch {
	case !p.Until.IsZero():
		return p.Until
	case p.Seconds != nil:
		return time.Now()
	}
	return p.Time
}

func table(out io.Writer, rows []past) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "USER\tCLIENT\tTTY\tCONTAINER\tSINCE\tDURATION\tSTATUS\tCOMMAND")
	for _, p := range rows {
		user := p.User
		if user == "" {
			user = strconv.FormatUint(uint64(p.UID), 10)
		}
		lasted := "-"
		if p.Seconds != nil {
			lasted = human.Clock(*p.Seconds)
		}
		status := p.Status
		for _, why := range []string{p.Lost, p.Reason} {
			if why != "" && (status == "lost" || status == "refused") {
				status += ": " + why
			}
		}
		command := quoted(p.Command)
		if p.Cut {
			command += "..."
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable.Text(user), cmp.Or(printable.Text(p.Client), "-"), cmp.Or(printable.Text(p.TTY), "-"), cmp.Or(printable.Text(p.Container), "-"),
			p.Time.Local().Format(time.DateTime), lasted, printable.Text(status), command)
	}
	return w.Flush()
}

// quoted shows a command on one line, so that nothing of it steers a terminal or
// passes for another row.
func quoted(s string) string {
	if s == "" {
		return ""
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

// moment reads a duration before now or a date; empty is the beginning.
func moment(s string, now time.Time) (time.Time, error) {
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
	return time.Time{}, fmt.Errorf("%w: %q is neither a duration such as 2h or 7d nor a date such as 2026-11-24 or \"2026-11-24 15:04\"", cli.ErrMisuse, s)
}
