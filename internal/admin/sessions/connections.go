package sessions

import (
	"slices"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/root/state"
)

// Shown returns the sessions of a list, and those connections of ssh in it that have none of
// the sessions: what people count.
func Shown(all []state.Session) []state.Session {
	return shown(all, func(s state.Session) state.Session { return s })
}

// shown is Shown for anything that has a session's entry.
func shown[T any](all []T, entry func(T) state.Session) []T {
	bare := map[proc.Stat]bool{} // by pid and start
	for _, one := range all {
		if s := entry(one); s.Connection {
			bare[proc.Stat{Pid: s.Pid, Start: s.Start}] = true
		}
	}
	if len(bare) == 0 { // as without the PAM module
		return all
	}
	for _, one := range all {
		s := entry(one)
		if s.Connection {
			continue
		}
		p, err := proc.Of(s.Pid)
		if err != nil || p.Start != s.Start {
			continue
		}
		for _, a := range sshd.AncestorsOf(p) {
			delete(bare, proc.Stat{Pid: a.Pid, Start: a.Start})
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool {
		s := entry(one)
		return s.Connection && !bare[proc.Stat{Pid: s.Pid, Start: s.Start}]
	})
}

// split returns the connections of a list apart from the sessions.
func split(all []state.Session) (sessions, connections []state.Session) {
	for _, s := range all {
		if s.Connection {
			connections = append(connections, s)
		} else {
			sessions = append(sessions, s)
		}
	}
	return sessions, connections
}
