// Package sessions is dockershctl's commands for the sessions of users: sessions, kick
// and message.
package sessions

import (
	"context"
	"errors"
	"slices"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/root/state"
)

// Entry is the entry of a live session.
type Entry struct {
	state.Session
	run string // run-time directory of the user's own broker that wrote it; empty: root's

	// Unconfirmed marks an entry of a user's own broker in whose container, as far as is
	// known, the user need not be: no engine has it with the mark of that broker.
	Unconfirmed bool
}

// In reports whether the session is in the container of that name and mark
// (engine.LabelMark). What users write counts for containers that their own brokers made.
func (e Entry) In(container, mark string) bool {
	return e.Container == container && !e.Waiting && (e.run == "" || e.hasMark(mark))
}

// hasMark reports whether a mark is that of the container that the entry names, if the same
// broker made it.
func (e Entry) hasMark(mark string) bool {
	return state.RunDir(e.run).Container(e.Container).HasMark(mark)
}

// Entries returns the entries of all live sessions: those of root brokers, and those of
// brokers that run with their user's rights. marks returns the marks of the containers of
// each name; it is called if users' own brokers have sessions.
func Entries(ctx context.Context, marks cli.Marks) (all []Entry, out LeftOut) {
	ids, containers := map[string]bool{}, map[string]bool{}
	for _, s := range state.RunDir(paths.Run).Sessions().Live() {
		ids[s.ID], containers[s.Container] = true, true
		all = append(all, Entry{Session: s})
	}
	userEntries, out := ofUserBrokers(ctx, installed.Accounts(0))
	if len(userEntries) == 0 {
		return all, out
	}
	var made map[string][]string
	if marks != nil {
		made = marks(ctx)
	}
	userEntries = out.dropForged(userEntries, func(id string) bool { return ids[id] || containers[id] || made[id] != nil })
	for _, e := range userEntries {
		e.Unconfirmed = !slices.ContainsFunc(made[e.Container], e.hasMark)
		all = append(all, e)
	}
	return all, out
}

// Index finds the sessions in each of many containers.
type Index struct {
	root    map[string][]state.Session
	ofUsers map[userRunDir][]state.Session
	further furtherDirs
}

// NewIndex reads the entries of root brokers. Those of a user's own broker are read with
// the first container of that broker.
func NewIndex() *Index {
	return &Index{state.RunDir(paths.Run).Sessions().ByContainer(), map[userRunDir][]state.Session{}, findFurtherDirs()}
}

// LiveIn returns the live sessions and connections in a container, without logins that wait
// for it. owner and mark are those of its labels. The error means that there may be more.
func (x *Index) LiveIn(ctx context.Context, container string, owner uint32, mark string) (in []state.Session, err error) {
	all := slices.Clone(x.root[container])
	for _, p := range runDirsOf(owner, x.further) {
		if !state.RunDir(p.run).Container(container).HasMark(mark) {
			continue
		}
		entries, ok := x.ofUsers[p]
		if !ok {
			read, _, readErr := p.read(ctx)
			if err = errors.Join(err, readErr); readErr == nil {
				x.ofUsers[p] = read
			}
			entries = read
		}
		all = append(all, entries...)
	}
	for _, s := range all {
		if s.Container == container && !s.Waiting && s.IsLive() {
			in = append(in, s)
		}
	}
	return in, err
}

// selectSessions returns the live sessions of a selection by id, container or user, with
// logins that wait for their container, and connections.
func selectSessions(ctx context.Context, marks cli.Marks, s *cli.Selection) (all []state.Session, err error) {
	var known []string
	entries, out := Entries(ctx, marks)
	out.warn()
	for _, entry := range entries {
		known = append(known, entry.ID)
		in := ""
		if !entry.Unconfirmed && entry.Container != state.NoContainer {
			in = entry.Container
			known = append(known, in)
		}
		if s.All || s.User != "" && entry.User == s.User || slices.Contains(s.Names, entry.ID) || in != "" && slices.Contains(s.Names, in) {
			all = append(all, entry.Session)
		}
	}
	for _, name := range s.Names {
		if !slices.Contains(known, name) {
			return nil, cli.UnknownSession(name, known)
		}
	}
	if s.User != "" && len(all) == 0 {
		return nil, s.CheckUser(ctx, nil)
	}
	return all, nil
}
