package launch

import (
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// WriteState writes the container's retention and what it was made from, in this order,
// so that no container is known that nobody would look after. One that has no id yet is
// about to be made. The lock is held.
func (t *Target) WriteState(c *engine.Container) error {
	r := state.Retention{Engine: t.plan.Engine(), IdleTimeout: t.plan.Settings.IdleTimeout}
	r.Linger, r.Ephemeral = policy.Ephemeral(c.Labels)
	if err := t.l.State.Retentions().Set(t.plan.Container, r); err != nil {
		return err
	}
	if c.ID != "" {
		t.addToInventory(c)
	}
	owner, _ := policy.OwnerOf(c.Labels)
	return t.dir.SetMade(state.Made{UID: owner.UID, Settings: c.Labels[engine.LabelSettings], Image: c.Image,
		ImageID: c.Labels[engine.LabelImage]})
}

// writeOwner writes for whom a container of this host is, for warm logins. There are
// none to containers elsewhere.
func (t *Target) writeOwner(owner policy.Owner) error {
	if !t.plan.Engine().Local() {
		return nil
	}
	return t.dir.SetOwner(owner)
}
