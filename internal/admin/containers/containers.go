// Package containers is dockershctl's commands for containers: ls, stop, start,
// restart, apply, reset, rm and commit.
package containers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/admin/sessions"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// Container is a container that dockersh made, on its engine.
type Container struct {
	*engine.Container
	owner   policy.Owner
	address engine.Address
	engine  engine.Engine
	twin    bool // another engine has one of this name
	left    bool // a carry-over left it beside the one of its user, see lifecycle.IsLeft
}

// listLimit is how long the engines have to list their containers.
const listLimit = 20 * time.Second

// List returns all containers that dockersh made on every engine in use, by name. A
// container that was made by hand is not among them, whatever its name, and neither is
// a probe container. down are the errors of engines that could not be asked.
func List(ctx context.Context, engines *engine.Clients, size bool) (all []Container, down []error, err error) {
	all, down, err = listAll(ctx, engines, size)
	return slices.DeleteFunc(all, func(c Container) bool { return c.left }), down, err
}

// listAll is List with the containers that carry-overs left.
func listAll(ctx context.Context, engines *engine.Clients, size bool) (all []Container, down []error, err error) {
	inUse, err := EnginesInUse()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, listLimit)
	defer cancel()
	var mu sync.Mutex
	var work sync.WaitGroup
	for _, at := range inUse {
		work.Go(func() {
			found, err := listEngine(ctx, engines, at, size)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, found...)
			if err != nil {
				down = append(down, fmt.Errorf("engine %s: %w", at.Host, err))
			}
		})
	}
	work.Wait()
	slices.SortFunc(all, func(a, b Container) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.address.Host, b.address.Host))
	})
	for i := range all[min(1, len(all)):] {
		if all[i].Name == all[i+1].Name && all[i].ID != all[i+1].ID { // not one by two addresses
			all[i].twin, all[i+1].twin = true, true
		}
	}
	return all, down, nil
}

func listEngine(ctx context.Context, engines *engine.Clients, at engine.Address, size bool) (all []Container, err error) {
	e, err := engines.Get(at)
	if err != nil {
		return nil, err
	}
	found, err := e.List(ctx, size)
	for _, c := range found {
		owner, ours := policy.OwnerOf(c.Labels)
		left := lifecycle.IsLeft(state.Inventory(paths.Inventory()), c)
		if ours && owner.Identity != policy.Probe && c.Name != "" && lifecycle.IsOld(c) == left {
			all = append(all, Container{Container: c, owner: owner, address: at, engine: e, left: left})
		}
	}
	return all, err
}

// Usage returns what a running container uses.
func (c Container) Usage(ctx context.Context) (engine.Usage, error) {
	return c.engine.Usage(ctx, c.ID)
}

// marksLimit is how long the engines have to confirm where sessions are, which are listed
// and ended without, too.
const marksLimit = 5 * time.Second

// Marks returns a function that lists the marks of containers.
func Marks(engines *engine.Clients) cli.Marks {
	return func(ctx context.Context) map[string][]string {
		ctx, cancel := context.WithTimeout(ctx, marksLimit)
		defer cancel()
		found, _, _ := List(ctx, engines, false) // what cannot be asked confirms nothing
		all := map[string][]string{}
		for _, c := range found {
			all[c.Name] = append(all[c.Name], c.Mark())
		}
		return all
	}
}

// Mark returns what names the broker that made the container.
func (c Container) Mark() string { return c.Labels[engine.LabelMark] }

// liveIn returns the live sessions in the container, without logins that wait for it. The
// error means that there may be more.
func (c Container) liveIn(ctx context.Context) ([]state.Session, error) {
	return sessions.NewIndex().LiveIn(ctx, c.Name, c.owner.UID, c.Mark())
}

// User returns the name of the user whose login made the container.
func (c Container) User() string { return c.Labels[engine.LabelUser] }

// EnginesInUse returns the engines that the settings name, and those of containers whose
// retention is pending.
func EnginesInUse() ([]engine.Address, error) {
	file, err := installed.Settings()
	if err != nil {
		return nil, err
	}
	all, err := policy.Engines(file)
	if err != nil {
		return nil, err
	}
	retentions := state.RunDir(paths.Run).Retentions()
	for _, name := range retentions.Names() {
		if r, err := retentions.Get(name); err == nil {
			all = engine.AppendAddress(all, r.Engine)
		}
	}
	return all, nil
}

// selectContainers returns the containers of a selection. --user selects those that are the
// user's alone: a container that may be shared has to be named.
func selectContainers(ctx context.Context, engines *engine.Clients, s *cli.Selection) ([]Container, error) {
	all, down, err := List(ctx, engines, false)
	if err != nil || s.All {
		return all, cli.Join(append(down, err)...)
	}
	var chosen []Container
	if s.User != "" {
		var users []string
		for _, c := range all {
			users = append(users, c.User())
			if c.User() == s.User && c.owner.Personal() {
				chosen = append(chosen, c)
			}
		}
		if len(chosen) == 0 {
			down = append(down, s.CheckUser(ctx, users))
		}
		return chosen, cli.Join(down...)
	}
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
		if slices.Contains(s.Names, c.Name) {
			chosen = append(chosen, c)
		}
	}
	for _, name := range s.Names {
		if !slices.Contains(names, name) {
			return nil, cli.Join(append(down,
				cli.Unknown("dockersh made no container "+printable.Text(name), name, names, "dockershctl ls"))...)
		}
	}
	return chosen, nil // an engine that is down has nothing that was named
}
