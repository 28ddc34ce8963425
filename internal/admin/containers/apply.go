package containers

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// Apply is the command apply: it gives containers the settings of today, with what is in them.
func Apply(ctx context.Context, env cli.Env, args []string) error {
	if err := cli.RequireRoot("apply"); err != nil {
		return err
	}
	s, err := newSeats(env.Engines)
	if err != nil {
		return err
	}
	return operation{name: "apply", doing: "applying", limit: commitLimit, do: s.apply}.command(ctx, env, args)
}

// apply sets the limits of a container to those that the settings of its user have today, and
// carries it over if there is more to change.
func (s *seats) apply(ctx context.Context, c Container, d state.ContainerDir) (string, error) {
	found, err := c.current(ctx)
	if err != nil {
		return "", err
	}
	owner, _ := policy.OwnerOf(found.Labels)
	admins := s.byAdmin(ctx, owner.UID)
	if admins == nil {
		return "", usererr.New(usererr.Settings, "the settings of the user who made it cannot be known", "dockershctl check", nil)
	}
	changed, err := lifecycle.SetLimits(ctx, c.engine, d, found, admins)
	if err != nil {
		return "", err
	}
	done := "as the settings say"
	if changed {
		done = "changed"
	}
	_, stays := policy.LimitsToSet(admins, found.Limits)
	made, fixed := found.Labels[engine.LabelAdmins], found.Labels[engine.LabelFixed]
	if !stays && (made == "" || made == admins.Hash() || fixed == admins.FixedHash()) {
		return done, nil
	}
	err = s.carryOver(ctx, c, d, owner)
	var kept lifecycle.Kept
	if !errors.As(err, &kept) {
		return "carried over to the settings of today", err
	}
	return done + "; the rest stays as it is: " + string(kept), nil
}

// carryOver carries a container over to all settings of today; lifecycle.Kept.
func (s *seats) carryOver(ctx context.Context, c Container, d state.ContainerDir, owner policy.Owner) error {
	u, err := s.users.ByUID(ctx, owner.UID)
	if err != nil {
		return err
	}
	plan, err := s.plan(ctx, u)
	if err != nil {
		return err
	}
	live, err := c.liveIn(ctx)
	switch {
	case err != nil:
		return err
	case plan.Container != c.Name || plan.Engine() != c.address || !c.address.Local() || c.checkTwin(d) != nil:
		return lifecycle.Kept("a login of " + u.Name + " does not enter it; to start from the image, run: dockershctl reset " + c.Name)
	case len(live) > 0:
		return lifecycle.Kept(human.Count(len(live), "session") + " in it")
	}
	return s.bringup.CarryOver(ctx, plan)
}
