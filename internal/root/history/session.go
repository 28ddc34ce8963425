package history

import (
	"strconv"
	"time"
)

// Session is one session, put together from its events; or a login that was refused or
// got a shell on the host. Time is that of its beginning.
type Session struct {
	Event
	Ended bool
	Until time.Time // of the end, if there is one; the latest possible time if no broker saw the end
}

// Sessions puts sessions together from events in the order of time, and returns them in
// the order of their beginnings. An end counts without its start, which may have been
// rotated away; but not that of a connection, which may have had sessions.
func Sessions(events []Event) []Session {
	all := make([]Session, 0, len(events)/2)
	known := map[string]int{}
	for _, e := range events {
		switch e.Kind {
		case Refused, HostShell:
			all = append(all, Session{Event: e, Ended: true, Until: e.Time})
			continue
		case Start, End:
		}
		at, ok := known[e.ID]
		if !ok && e.Kind == End && e.Connection {
			continue
		}
		if !ok {
			at = len(all)
			known[e.ID] = at
			all = append(all, Session{Event: e})
			if e.Kind == End {
				all[at].Time = e.Since
			}
		}
		if s := &all[at]; e.Kind == End && !s.Ended {
			s.Ended, s.Until = true, e.Time
			s.Exit, s.Signal, s.Lost = e.Exit, e.Signal, e.Lost
		}
	}
	return all
}

// Status describes the end in a word or two. live reports whether the session is known
// to go on.
func (s Session) Status(live bool) string {
	switch {
	case s.Kind == Refused:
		return "refused"
	case s.Kind == HostShell:
		return "host shell"
	case !s.Ended && live:
		return "still in"
	case s.Ended && s.Connection:
		return "closed"
	case s.Exit != nil:
		return "exit " + strconv.Itoa(*s.Exit)
	case s.Signal != "":
		return "signal " + s.Signal
	case s.Lost != "":
		return "lost"
	}
	return "unknown"
}
