// Package history keeps what became of sessions in a file of root's, a line a
// record, and reads it again. It is for hosts with any system log or with none.
package history

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf16"
)

// Event is what a record is of.
type Event string

// The events. A session has one Start and one End, the others stand alone.
const (
	Start     Event = "start"
	End       Event = "end"
	Refused   Event = "refused"
	HostShell Event = "hostshell" // a shell on the host, whose end no broker sees
)

// Record is one line. What is not known is empty.
type Record struct {
	Time      time.Time `json:"time"`
	Event     Event     `json:"event"`
	ID        string    `json:"id,omitempty"` // of the session
	User      string    `json:"user,omitempty"`
	UID       uint32    `json:"uid"`
	Door      string    `json:"door,omitempty"`
	Client    string    `json:"client,omitempty"` // address, from the kernel
	Key       string    `json:"key,omitempty"`    // fingerprint, as the user's process was told it by sshd
	Container string    `json:"container,omitempty"`
	Image     string    `json:"image,omitempty"` // id
	TTY       string    `json:"tty,omitempty"`   // of the front, on the host
	Pid       int       `json:"pid,omitempty"`   // of the front
	Terminal  bool      `json:"terminal,omitempty"`
	Command   string    `json:"command,omitempty"`
	Cut       bool      `json:"cut,omitempty"`    // the command was longer
	Reason    string    `json:"reason,omitempty"` // of a refusal, as the user was told it
	Shell     string    `json:"shell,omitempty"`  // on the host

	// Of an End. Exit and Signal are the front's word, and it may be the user's
	// own program; it has none if it was killed.
	Since  time.Time `json:"since,omitzero"`
	Exit   *int      `json:"exit,omitempty"`
	Signal string    `json:"signal,omitempty"` // TERM, KILL ...
	Lost   string    `json:"lost,omitempty"`   // what became of the container under the session
}

// begin is how the line of every record begins. It is nowhere else in one: inside
// a string the quotes would be escaped.
const begin = `{"time":"`

// encode gives the line, its end included: ASCII without control characters, so
// that no name and no command steers the terminal it is shown on.
func encode(r Record) []byte {
	r.Time = r.Time.UTC().Truncate(time.Millisecond)
	r.Since = r.Since.UTC().Truncate(time.Millisecond)
	text, err := json.Marshal(r)
	if err != nil {
		return nil // a year beyond 9999: no clock of ours says so
	}
	line := make([]byte, 0, len(text)+1)
	for _, c := range string(text) {
		switch {
		case c < 0x7f:
			line = append(line, byte(c))
		case c < 0x10000:
			line = escape(line, c)
		default:
			high, low := utf16.EncodeRune(c)
			line = escape(escape(line, high), low)
		}
	}
	return append(line, '\n')
}

func escape(to []byte, c rune) []byte {
	const hex = "0123456789abcdef"
	return append(to, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15])
}

// parse reads one line. What a write that was cut off left before a record, on
// the same line, is passed over.
func parse(line string) (r Record, ok bool) {
	at := strings.LastIndex(line, begin)
	if at < 0 || json.Unmarshal([]byte(line[at:]), &r) != nil {
		return Record{}, false
	}
	switch r.Event {
	case Start, End, Refused, HostShell:
		return r, !r.Time.IsZero()
	}
	return Record{}, false
}

// Attrs gives the record for log/slog, without what is empty and without its
// time and event.
func (r Record) Attrs() []any {
	all := []any{"user", r.User, "uid", r.UID}
	for _, a := range [...]struct{ key, value string }{
		{"id", r.ID}, {"door", r.Door}, {"client", r.Client}, {"key", r.Key}, {"container", r.Container}, {"image", r.Image},
		{"tty", r.TTY}, {"shell", r.Shell}, {"command", r.Command}, {"reason", r.Reason}, {"signal", r.Signal}, {"lost", r.Lost},
	} {
		if a.value != "" {
			all = append(all, a.key, a.value)
		}
	}
	if r.Cut {
		all = append(all, "cut", true)
	}
	if r.Event != End {
		return append(all, "pid", r.Pid, "terminal", r.Terminal)
	}
	if r.Exit != nil {
		all = append(all, "exit", *r.Exit)
	}
	return append(all, "seconds", int(r.Time.Sub(r.Since).Seconds()))
}
