package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// ErrInUse is returned where more memory is in use than a container may have by the new limit:
// the kernel would kill processes in it at once.
var ErrInUse = errors.New("more memory is in use than the new limit")

// SetLimits sets the limits of a container, whose lock is held, to those of settings as far as that
// is possible while it exists, and writes what it has. changed reports whether it had others.
func SetLimits(ctx context.Context, e engine.Engine, c state.ContainerDir, found *engine.Container,
	s *config.Settings) (changed bool, err error) {
	change, stays := policy.LimitsToSet(s, found.Limits)
	if change != (engine.Limits{}) {
		if err := checkUse(ctx, e, found, change); err != nil {
			return false, err
		}
		err = e.SetLimits(ctx, found.ID, change)
		changed = err == nil
		if isPassing(ctx, err) {
			return false, err
		}
	}
	made, madeErr := c.Made()
	if madeErr != nil {
		return changed, err // nothing is known of it, and nothing is compared
	}
	made.Limits = LimitsText(s)
	if stays || err != nil {
		made.Fixed = ""
	}
	return changed, errors.Join(err, c.SetMade(made))
}

// isPassing reports whether an error shows nothing of what the engine makes of the limits.
func isPassing(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, engine.ErrDown) || errors.Is(err, engine.ErrDenied) || errors.Is(err, engine.ErrNotFound)
}

// checkUse returns ErrInUse if a container that runs uses more memory than it may have.
func checkUse(ctx context.Context, e engine.Engine, found *engine.Container, change engine.Limits) error {
	if change.Memory == 0 || found.State != engine.Running || found.Limits.Memory != 0 && found.Limits.Memory < change.Memory {
		return nil
	}
	use, err := e.Usage(ctx, found.ID)
	if err != nil {
		return err
	}
	if use.Memory >= change.Memory {
		return fmt.Errorf("%w: %d bytes of %d", ErrInUse, use.Memory, change.Memory)
	}
	return nil
}

// LimitsText is what state.Made has as Limits for settings.
func LimitsText(s *config.Settings) string {
	l := policy.LimitsOf(s)
	return fmt.Sprint(l.Memory, l.CPUs, l.Pids)
}

// HasOtherSettings reports whether a container is not what settings ask for: by what it was made
// with, or by limits that changed since then.
func HasOtherSettings(made state.Made, s *config.Settings) bool {
	if made.Settings == s.Hash() && (made.Limits == "" || made.Limits == LimitsText(s)) {
		return false
	}
	return made.Fixed == "" || made.Fixed != s.FixedHash() || made.Limits != LimitsText(s)
}
