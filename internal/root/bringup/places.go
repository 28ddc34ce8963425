package bringup

import (
	"os"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
)

// checkPlaces is lifecycle.CheckPlaces where a program in the container may gain rights, as
// it was made or by today's settings.
func (a *coldLogin) checkPlaces(c *engine.Container, user account.Identity) error {
	local := a.plan.Engine().Local()
	if user.UID == 0 || !a.plan.RightsMayGrow() && !c.MayGain || local && os.Geteuid() != 0 {
		return nil // nothing is to be gained, or whoever comes here may ask the engine for it
	}
	return lifecycle.CheckPlaces(c, user.Home, local)
}
