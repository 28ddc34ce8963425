package containers

import (
	"context"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// Apply is the command apply: it changes containers to today's settings, as far as they can change.
func Apply(ctx context.Context, env cli.Env, args []string) error {
	if err := cli.RequireRoot("apply"); err != nil {
		return err
	}
	s, err := newSeats(env.Engines)
	if err != nil {
		return err
	}
	return operation{name: "apply", doing: "applying", do: s.apply}.command(ctx, env, args)
}

// apply sets the limits of a container to those that the settings of its user have today.
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
	if stays || made != "" && made != admins.Hash() && fixed != admins.FixedHash() {
		done += "; the rest takes a new container: dockershctl reset " + c.Name
	}
	return done, nil
}
