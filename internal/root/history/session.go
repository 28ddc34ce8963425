package history

import (
	"strconv"
	"time"
)

// Session is what the records say of one session, or of one that was refused or
// went to the host. The time of its record is that of its beginning.
type Session struct {
	Record
	Ended bool
	Until time.Time // of the end, if there is one; of one that nobody saw at once, the latest that it can be
}

// Sessions puts records, in the order of time, together, in the order of their
// beginnings. An end counts without its start, which may have been rotated away.
func Sessions(records []Record) []Session {
	all := make([]Session, 0, len(records)/2)
	known := map[string]int{}
	for _, r := range records {
		switch r.Event {
		case Refused, HostShell:
			all = append(all, Session{Record: r, Ended: true, Until: r.Time})
			continue
		case Start, End:
		}
		at, ok := known[r.ID]
		if !ok {
			at = len(all)
			known[r.ID] = at
			all = append(all, Session{Record: r})
			if r.Event == End {
				all[at].Time = r.Since
			}
		}
		if s := &all[at]; r.Event == End && !s.Ended {
			s.Ended, s.Until = true, r.Time
			s.Exit, s.Signal, s.Lost = r.Exit, r.Signal, r.Lost
		}
	}
	return all
}

// Status is the end in a word or two; in says whether it is known to go on.
func (s Session) Status(in bool) string {
	switch {
	case s.Event == Refused:
		return "refused"
	case s.Event == HostShell:
		return "host shell"
	case !s.Ended && in:
		return "still in"
	case s.Exit != nil:
		return "exit " + strconv.Itoa(*s.Exit)
	case s.Signal != "":
		return "signal " + s.Signal
	case s.Lost != "":
		return "lost"
	}
	return "unknown"
}
