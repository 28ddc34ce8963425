package history

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Session is one session, put together from its events; or a login that was refused or
// got a shell on the host. Time is that of its beginning.
type Session struct {
	Event
	Ended bool
	Until time.Time // of the end, if there is one; the latest possible time if no broker saw the end

	number int // of its first event
}

// Collector puts sessions together from events in the order of writing. It keeps those that are asked for,
// and others only as long as they go on.
type Collector struct {
	Keep  func(Event) bool // whose sessions are asked for; nil: all
	Since time.Time        // only those of which anything is known from then on
	Live  map[string]bool  // ids of sessions that go on now

	open  map[string]*Session
	ended map[string]*Session
	all   []*Session

	number int // of events
}

// Add adds an event. An end counts without its start, which may have been rotated away; but not
// that of a connection, which may have had sessions.
func (c *Collector) Add(e Event) {
	if c.Keep != nil && !c.Keep(e) {
		return
	}
	if c.open == nil {
		c.open, c.ended = map[string]*Session{}, map[string]*Session{}
	}
	c.number++
	switch e.Kind {
	case Refused, HostShell:
		if !e.Time.Before(c.Since) {
			c.all = append(c.all, &Session{Event: e, Ended: true, Until: e.Time, number: c.number})
		}
	case Start:
		switch s := c.ended[e.ID]; {
		case s != nil && s.Kind == End:
			c.begin(s, e)
		case s == nil && c.open[e.ID] == nil: // else it is read twice, while files are rotated
			c.open[e.ID] = &Session{Event: e, number: c.number}
		}
	case End:
		c.end(e)
	}
}

// begin adds the start of a session whose end came first, as a wrong clock can order files.
func (c *Collector) begin(s *Session, e Event) {
	exit, signal, lost := s.Exit, s.Signal, s.Lost
	if s.Connection {
		c.all = append(c.all, s) // see end
	}
	s.Event = e
	s.Exit, s.Signal, s.Lost = exit, signal, lost
}

func (c *Collector) end(e Event) {
	s := c.open[e.ID]
	delete(c.open, e.ID)
	if e.Time.Before(c.Since) || c.ended[e.ID] != nil {
		return
	}
	alone := s == nil
	if alone {
		s = &Session{Event: e, number: c.number}
		s.Time = e.Since
	}
	s.Ended, s.Until = true, e.Time
	s.Exit, s.Signal, s.Lost = e.Exit, e.Signal, e.Lost
	c.ended[e.ID] = s
	if !alone || !e.Connection {
		c.all = append(c.all, s)
	}
}

// Sessions returns the sessions in the order of their beginnings.
func (c *Collector) Sessions() []*Session {
	for id, s := range c.open {
		if c.Live[id] || !s.Time.Before(c.Since) {
			c.all = append(c.all, s)
		}
	}
	c.open = nil
	slices.SortFunc(c.all, func(a, b *Session) int { return cmp.Or(a.Time.Compare(b.Time), a.number-b.number) })
	return c.all
}

// Status describes the end in a word or two. live reports whether the session is known
// to go on.
func (s *Session) Status(live bool) string {
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
