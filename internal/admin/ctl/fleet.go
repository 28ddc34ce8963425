package ctl

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// box is a container that dockersh made, on its engine.
type box struct {
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
func fleet(ctx context.Context, size bool) (all []box, down []error, err error) {
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
	slices.SortFunc(all, func(a, b box) int { return strings.Compare(a.Name+"\x00"+a.at.Host, b.Name+"\x00"+b.at.Host) })
	return all, down, nil
}

func list(ctx context.Context, at engine.Address, size bool) (all []box, err error) {
	e, err := engines.Get(at)
	if err != nil {
		return nil, err
	}
	found, err := e.List(ctx, size)
	for _, c := range found {
		if owner, ours := policy.OwnerOf(c.Labels); ours && owner.Identity != policy.Probe && c.Name != "" {
			all = append(all, box{c, owner, at, e})
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
