package enginetest

import (
	"context"
	"fmt"
	"slices"

	"github.com/dockersh/dockersh/internal/engine"
)

// Announce implements engine.Shared. What is announced counts for ever.
func (f *Fake) Announce(ctx context.Context, p engine.Presence) error {
	err := f.begin(ctx, "Announce")
	defer f.mu.Unlock()
	if err == nil && !slices.Contains(f.presences, p) {
		f.presences = append(f.presences, p)
	}
	return err
}

// Enter implements engine.Shared.
func (f *Fake) Enter(ctx context.Context, id string, p engine.Presence) (*engine.Container, error) {
	err := f.begin(ctx, "Enter")
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	b, err := f.box(id)
	if err != nil {
		return nil, err
	}
	b.Labels[engine.LabelLogin] = p.Session
	return b.copy(false), nil
}

// Withdraw implements engine.Shared.
func (f *Fake) Withdraw(ctx context.Context, p engine.Presence) error {
	err := f.begin(ctx, "Withdraw")
	defer f.mu.Unlock()
	f.presences = slices.DeleteFunc(f.presences, func(other engine.Presence) bool { return other == p })
	return err
}

// Presences implements engine.Shared.
func (f *Fake) Presences(ctx context.Context) ([]engine.Presence, error) {
	err := f.begin(ctx, "Presences")
	defer f.mu.Unlock()
	return slices.Clone(f.presences), err
}

// RemoveVacant implements engine.Shared.
func (f *Fake) RemoveVacant(ctx context.Context, id, host string) error {
	err := f.begin(ctx, "RemoveVacant")
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	b, err := f.box(id)
	if err != nil {
		return err
	}
	for _, p := range f.presences {
		if p.Container == b.Name && p.Host != host && b.State != engine.Exited {
			return fmt.Errorf("%w: %s", engine.ErrInUse, p.Session)
		}
	}
	delete(f.containers, b.Name)
	return nil
}

// Forget forgets all that was announced: the hosts do not live, as far as others can tell.
func (f *Fake) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.presences = nil
}

var _ engine.Shared = (*Fake)(nil)
