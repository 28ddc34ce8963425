// Package history writes what became of sessions to a file of root, one event a line,
// and reads it back. It serves hosts with any system log or with none.
package history

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/proto/printable"
)

// Kind is what happened.
type Kind string

// The kinds. A session has one Start and one End; the others stand alone.
const (
	Start     Kind = "start"
	End       Kind = "end"
	Refused   Kind = "refused"
	HostShell Kind = "hostshell" // a shell on the host, whose end no broker sees
)

// Event is one line of the file. What is not known is empty.
type Event struct {
	Time      time.Time `json:"time"`
	Kind      Kind      `json:"event"`
	ID        string    `json:"id,omitempty"` // of the session
	User      string    `json:"user,omitempty"`
	UID       uint32    `json:"uid"`
	Door      string    `json:"door,omitempty"`
	Client    string    `json:"client,omitempty"` // address, from the kernel
	Key       string    `json:"key,omitempty"`    // fingerprint, as sshd reported it to the user's process
	Container string    `json:"container,omitempty"`
	Image     string    `json:"image,omitempty"` // id
	TTY       string    `json:"tty,omitempty"`   // of the front, on the host
	Pid       int       `json:"pid,omitempty"`   // of the front
	Terminal  bool      `json:"terminal,omitempty"`
	// Connection: not a session, but a connection of ssh without one. Pid is that of sshd.
	Connection bool   `json:"connection,omitempty"`
	Command    string `json:"command,omitempty"`
	Cut        bool   `json:"cut,omitempty"`    // the command was longer
	Reason     string `json:"reason,omitempty"` // of a refusal, in the words that the user saw
	Number     int    `json:"number,omitempty"` // of refusals since the user's last line, this one included
	Shell      string `json:"shell,omitempty"`  // on the host
	Cold       string `json:"cold,omitempty"`   // why the login needed an engine; empty for a warm one

	// Of an End. Exit and Signal are what the front reported, which may be a program
	// of the user; both are empty if the front was killed.
	Since  time.Time `json:"since,omitzero"`
	Exit   *int      `json:"exit,omitempty"`
	Signal string    `json:"signal,omitempty"` // TERM, KILL ...
	Lost   string    `json:"lost,omitempty"`   // what became of the container under the session
}

// begin is the beginning of every event's line. It stands nowhere else in a line:
// inside a string its quotes would be escaped.
const begin = `{"time":"`

// encode returns the line with its newline: ASCII without control characters, so that
// no name and no command can steer the terminal that shows it.
func encode(e Event) []byte {
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	e.Since = e.Since.UTC().Truncate(time.Millisecond)
	text, err := json.Marshal(e)
	if err != nil {
		return nil // a year beyond 9999, which no clock shows
	}
	return append(printable.JSON(text), '\n')
}

// parse reads one line. It skips what a write that was cut short left before the event
// on the same line.
func parse(line string) (e Event, ok bool) {
	at := strings.LastIndex(line, begin)
	if at < 0 || json.Unmarshal([]byte(line[at:]), &e) != nil {
		return Event{}, false
	}
	switch e.Kind {
	case Start, End, Refused, HostShell:
		return e, !e.Time.IsZero()
	}
	return Event{}, false
}

// Attrs returns the event's fields for log/slog, without those that are empty and
// without time and kind.
func (e Event) Attrs() []any {
	all := []any{"user", e.User, "uid", e.UID}
	for _, a := range [...]struct{ key, value string }{
		{"id", e.ID}, {"door", e.Door}, {"client", e.Client}, {"key", e.Key}, {"container", e.Container}, {"image", e.Image},
		{"tty", e.TTY}, {"shell", e.Shell}, {"command", e.Command}, {"reason", e.Reason}, {"cold", e.Cold},
		{"signal", e.Signal}, {"lost", e.Lost},
	} {
		if a.value != "" {
			all = append(all, a.key, a.value)
		}
	}
	if e.Cut {
		all = append(all, "cut", true)
	}
	if e.Kind != End {
		if e.Connection {
			return append(all, "pid", e.Pid)
		}
		return append(all, "pid", e.Pid, "terminal", e.Terminal)
	}
	if e.Exit != nil {
		all = append(all, "exit", *e.Exit)
	}
	return append(all, "seconds", int(e.Time.Sub(e.Since).Seconds()))
}
