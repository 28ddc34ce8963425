package sessions

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/root/state"
)

// Session is a live session as it is listed: its entry, and what the host knows of its
// login shell.
type Session struct {
	ID        string    `json:"id"`
	User      string    `json:"user"`
	UID       uint32    `json:"uid"`
	Container string    `json:"container"`
	Client    string    `json:"client,omitempty"` // address; missing: not over the network
	Key       string    `json:"key,omitempty"`    // fingerprint; missing: the settings did not ask for it
	TTY       string    `json:"tty,omitempty"`    // of the host, below /dev; missing: none
	Since     time.Time `json:"since"`
	Idle      *int64    `json:"idle,omitempty"` // seconds since the last input; missing: no terminal
	Pid       int       `json:"pid"`            // of the login shell
	Waiting   bool      `json:"waiting"`        // for its container
	// Connection: not a session, but a connection of ssh that has none (ssh -N). Pid is sshd's.
	Connection bool `json:"connection,omitempty"`
	// Unconfirmed: only the user's own broker claims that it is in the container.
	Unconfirmed bool `json:"unconfirmed,omitempty"`

	entry Entry
}

// List is the command sessions.
func List(ctx context.Context, env cli.Env, args []string) error {
	var asJSON, quiet, past bool
	var user, from string
	if _, err := (cli.Options{"--json": &asJSON, "-q": &quiet, "--quiet": &quiet, "--history": &past,
		"--user": &user, "--since": &from}).Parse(args, 0, 0); err != nil {
		return err
	}
	if past && quiet || !past && user+from != "" {
		return fmt.Errorf("%w: --user and --since need --history, which excludes --quiet", cli.ErrMisuse)
	}
	if err := cli.RequireRoot("sessions"); err != nil {
		return err
	}
	if past {
		return listHistory(env.Out, user, from, asJSON)
	}
	if quiet {
		entries, out := Entries(ctx, env.Marks)
		out.warn()
		for _, entry := range shown(entries, entryOf) {
			fmt.Fprintln(env.Out, entry.ID)
		}
		return nil
	}
	all, out := Live(ctx, env.Marks)
	out.warn()
	if asJSON {
		return cli.PrintJSON(env.Out, all)
	}
	return printTable(env.Out, all)
}

// In is Entry.In.
func (s Session) In(container, mark string) bool { return s.entry.In(container, mark) }

func entryOf(e Entry) state.Session { return e.Session }

// Live returns all live sessions, and connections that have none, the oldest first. marks and
// out are as for Entries.
func Live(ctx context.Context, marks cli.Marks) (all []Session, out LeftOut) {
	all = []Session{}
	entries, out := Entries(ctx, marks)
	for _, entry := range shown(entries, entryOf) {
		s := Session{ID: entry.ID, User: entry.User, UID: entry.UID, Container: entry.Container, Client: entry.Address, Key: entry.Key,
			Since: entry.Since, Pid: entry.Pid, Waiting: entry.Waiting,
			Unconfirmed: entry.Unconfirmed, Connection: entry.Connection, entry: entry}
		if s.Container == state.NoContainer {
			s.Container = ""
		}
		p, err := proc.Of(entry.Pid)
		if err != nil || p.Start != entry.Start {
			continue // it has ended since the entry was read, and another process may have its number
		}
		if s.Client == "" {
			if addr, err := sshd.Address(p); err == nil {
				s.Client = addr.String()
			}
		}
		s.TTY, s.Idle = terminalOf(p)
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Session) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.User, b.User), cmp.Compare(a.ID, b.ID))
	})
	return all, out
}

// terminalOf returns the terminal of a login shell and for how many seconds nothing
// was typed there. Like w(1) it takes the time when the terminal was last read.
func terminalOf(p proc.Stat) (name string, idle *int64) {
	var st unix.Stat_t
	if name = proc.Terminal(p.TTY); name == "" || unix.Stat("/dev/"+name, &st) != nil {
		return name, nil
	}
	n := max(0, int64(time.Since(time.Unix(st.Atim.Unix())).Seconds()))
	return name, &n
}

func printTable(out io.Writer, all []Session) error {
	now := time.Now()
	return cli.PrintTable(out, all, []cli.Column[Session]{
		{Head: "ID", Value: func(s Session) string { return s.ID }},
		{Head: "USER", Value: func(s Session) string { return s.User }},
		{Head: "CONTAINER", Value: func(s Session) string {
			if s.Unconfirmed {
				return s.Container + "?"
			}
			return s.Container
		}},
		{Head: "CLIENT", Value: func(s Session) string { return s.Client }},
		{Head: "TTY", Value: func(s Session) string {
			switch {
			case s.Waiting:
				return "waits"
			case s.Connection:
				return "connection"
			}
			return s.TTY
		}},
		{Head: "SINCE", Value: func(s Session) string { return clock(s.Since, now) }},
		{Head: "IDLE", Value: func(s Session) string {
			if s.Idle == nil {
				return ""
			}
			return human.Age(time.Duration(*s.Idle) * time.Second)
		}},
		{Head: "PID", Value: func(s Session) string { return strconv.Itoa(s.Pid) }},
		{Head: "KEY", Value: func(s Session) string { return cmp.Or(s.Key, "-") }},
	})
}

// clock returns the time of day, preceded by the date unless that is today's.
func clock(at, now time.Time) string {
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04")
	}
	return at.Format("2006-01-02 15:04")
}
