// Package containers lists the containers of dockersh, and stops, starts, removes and
// commits them.
package containers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// Container is a container that dockersh made, on its engine.
type Container struct {
	*engine.Container
	owner policy.Owner
	at    engine.Address
	on    engine.Engine
}

// listLimit is how long an engine has to say what it has.
const listLimit = 20 * time.Second

// fleet gives every container that dockersh made, by name, on every engine in use.
// What is made by hand is not among them, whatever its name; nor are the containers
// in which an image is looked into. What could not be asked is told in down.
func List(ctx context.Context, size bool) (all []Container, down []error, err error) {
	inUse, err := enginesInUse()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, listLimit)
	defer cancel()
	var mu sync.Mutex
	var work sync.WaitGroup
	for _, at := range inUse {
		work.Go(func() {
			found, err := list(ctx, at, size)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, found...)
			if err != nil {
				down = append(down, fmt.Errorf("engine %s: %w", at.Host, err))
			}
		})
	}
	work.Wait()
	slices.SortFunc(all, func(a, b Container) int { return strings.Compare(a.Name+"\x00"+a.at.Host, b.Name+"\x00"+b.at.Host) })
	return all, down, nil
}

func list(ctx context.Context, at engine.Address, size bool) (all []Container, err error) {
	e, err := cli.Engines.Get(at)
	if err != nil {
		return nil, err
	}
	found, err := e.List(ctx, size)
	for _, c := range found {
		if owner, ours := policy.OwnerOf(c.Labels); ours && owner.Identity != policy.Probe && c.Name != "" {
			all = append(all, Container{c, owner, at, e})
		}
	}
	return all, err
}

// enginesInUse are those that the settings name, in the section for all first, and
// those of containers that wait for something. An address with the user in it names
// engines of users, which are theirs.
func enginesInUse() (all []engine.Address, err error) {
	file, err := (&settings.Source{Paths: paths.Settings()}).Load()
	if err != nil {
		return nil, err
	}
	add := func(at engine.Address) {
		if !strings.Contains(at.Host+at.TLS, "%") && !slices.Contains(all, at) {
			all = append(all, at)
		}
	}
	of := func(user, group string) (*config.Settings, error) {
		s, err := settings.Written(file, user, group)
		if err == nil {
			add(policy.EngineOf(s))
		}
		return s, err
	}
	if _, err := of("", ""); err != nil {
		return nil, err
	}
	for _, name := range file.Groups() {
		_, _ = of("", name) // where it does not fit together no login works either
	}
	for _, name := range file.Users() {
		_, _ = of(name, "")
	}
	lives := rundir.LivesOf(paths.Run)
	for _, name := range lives.Names() {
		if v, err := lives.Get(name); err == nil {
			add(v.Engine)
		}
	}
	return all, nil
}

func usersOf(all []Container) (names []string) {
	for _, c := range all {
		names = append(names, c.Labels[engine.LabelUser])
	}
	return names
}

// selected returns the containers that are meant. --user means what is a user's alone: a
// container that others share is named.
func selected(ctx context.Context, s *cli.Selection) (meant []Container, err error) {
	all, down, err := List(ctx, false)
	if err != nil {
		return nil, err
	}
	if s.All {
		return all, cli.Join(down...)
	}
	if s.User != "" {
		for _, b := range all {
			if b.Labels[engine.LabelUser] == s.User && b.owner.Personal() {
				meant = append(meant, b)
			}
		}
		if len(meant) == 0 {
			down = append(down, s.CheckUser(ctx, usersOf(all)))
		}
		return meant, cli.Join(down...)
	}
	var known []string
	for _, b := range all {
		known = append(known, b.Name)
	}
	for _, name := range s.Names {
		n := len(meant)
		for _, b := range all {
			if b.Name == name && !slices.ContainsFunc(meant[:n], func(m Container) bool { return m.Name == name }) {
				meant = append(meant, b)
			}
		}
		if n == len(meant) && !slices.ContainsFunc(meant, func(m Container) bool { return m.Name == name }) {
			return nil, cli.Join(append(down, cli.Unknown("dockersh made no container "+printable.Text(name), name, known, "dockershctl ls"))...)
		}
	}
	return meant, nil // what is down has nothing that was named
}

// Usage returns what a running container uses.
func (c Container) Usage(ctx context.Context) (engine.Usage, error) { return c.on.Usage(ctx, c.ID) }
