package ctl

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/sessions"
	"github.com/dockersh/dockersh/internal/rules/suggest"
)

// selection says what a command is for: NAME..., --user USER, or --all.
type selection struct {
	names []string
	user  string
	all   bool
}

// parse takes the selection, and the options of the command, from its arguments.
// last words at the end are the command's own.
func (s *selection) parse(args []string, more options, last int) (own []string, err error) {
	o := options{"--user": &s.user, "--all": &s.all}
	for name, to := range more {
		o[name] = to
	}
	words, err := o.parse(args, last, -1)
	if err != nil {
		return nil, err
	}
	s.names, own = words[:len(words)-last], words[len(words)-last:]
	kinds := 0
	for _, given := range []bool{len(s.names) > 0, s.user != "", s.all} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		return nil, fmt.Errorf("%w: either names, or --user, or --all", errMisuse)
	}
	return own, nil
}

// boxes gives the containers that are meant. --user means what is a user's alone: a
// container that others share is named.
func (s *selection) boxes(ctx context.Context) (meant []box, err error) {
	all, down, err := fleet(ctx, false)
	if err != nil {
		return nil, err
	}
	if s.all {
		return all, together(down...)
	}
	if s.user != "" {
		for _, b := range all {
			if b.Labels[engine.LabelUser] == s.user && b.owner.Personal() {
				meant = append(meant, b)
			}
		}
		if len(meant) == 0 {
			down = append(down, s.nobody(ctx, all))
		}
		return meant, together(down...)
	}
	var known []string
	for _, b := range all {
		known = append(known, b.Name)
	}
	for _, name := range s.names {
		n := len(meant)
		for _, b := range all {
			if b.Name == name && !slices.ContainsFunc(meant[:n], func(m box) bool { return m.Name == name }) {
				meant = append(meant, b)
			}
		}
		if n == len(meant) && !slices.ContainsFunc(meant, func(m box) bool { return m.Name == name }) {
			return nil, together(append(down, unknown("dockersh made no container "+printable.Text(name), name, known, "dockershctl ls"))...)
		}
	}
	return meant, nil // what is down has nothing that was named
}

// nobody is the error for a user without a container, if there is no such user.
func (s *selection) nobody(ctx context.Context, all []box) error {
	if _, err := account.New(0).ByName(ctx, s.user); !errors.Is(err, account.ErrUnknown) {
		return nil
	}
	var known []string
	for _, b := range all {
		known = append(known, b.Labels[engine.LabelUser])
	}
	return unknown("no user "+printable.Text(s.user), s.user, known, "dockershctl ls")
}

// records gives the live sessions that are meant: by id, container or user. Those
// that wait for their container are among them.
func (s *selection) records(ctx context.Context, all []sessions.Record) (meant []sessions.Record, err error) {
	var known []string
	for _, r := range all {
		known = append(known, r.ID, r.Container)
		if s.all || s.user != "" && r.User == s.user || slices.Contains(s.names, r.ID) || slices.Contains(s.names, r.Container) {
			meant = append(meant, r)
		}
	}
	for _, name := range s.names {
		if !slices.Contains(known, name) {
			return nil, unknown("no live session is "+printable.Text(name)+", or in a container of that name", name, known, "dockershctl sessions")
		}
	}
	if s.user != "" && len(meant) == 0 {
		return nil, s.nobody(ctx, nil)
	}
	return meant, nil
}

// unknown is one line, and what may have been meant.
func unknown(text, word string, known []string, otherwise string) error {
	hint := otherwise
	if best := suggest.Of(word, known); best != "" {
		hint = "did you mean " + best + "?"
	}
	return usererr.New(usererr.Denied, text, hint, nil)
}
