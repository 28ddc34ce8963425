package broker

import (
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/bringup"
	"github.com/dockersh/dockersh/internal/root/images"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// notices finds what a user is to know of the container at a login.
type notices struct {
	state state.RunDir
	tags  *images.Tags
}

// forLogin returns a line for the user, or none. What may lose work is shown to commands too:
// to learn of it late costs more than a line.
func (n *notices) forLogin(plan *policy.Plan, req *wire.Login, entered bringup.Result) string {
	switch {
	case entered.Cold == bringup.Vanished:
		return vanishedNotice
	case entered.Replaced != "":
		return "dockersh: " + entered.Replaced + " was replaced on the host; this container has the old one " +
			"until all its sessions end, or the administrator runs: dockershctl restart " + plan.Container
	case !req.Terminal || req.HasCommand:
		return ""
	case entered.Unforwarded != "":
		return "dockersh: " + entered.Unforwarded
	}
	return n.ofChange(plan)
}

// ofChange returns a line for a login whose container is not what the user's login would make
// today; else it is empty. No engine is asked.
func (n *notices) ofChange(plan *policy.Plan) string {
	made, err := n.state.Container(plan.Container).Made()
	if err != nil || made.UID != plan.User.UID {
		return "" // another user made it, and is shown the notice
	}
	what := ""
	switch other, older := lifecycle.HasOtherSettings(made, plan.Settings), n.tags.IsOutdated(plan.Engine(), made); {
	case other && older:
		what = "with other settings, from an older image"
	case other:
		what = "with other settings"
	case older:
		what = "from an older image"
	default:
		return ""
	}
	until := "stays so until the administrator runs: dockershctl reset " + plan.Container
	if bringup.CarriesOver(plan, made) {
		until = "gets those of today, with all that is in it, at a login that finds nothing running in it"
		if kept, ok := n.state.Container(plan.Container).Kept(); ok && kept.Settings == plan.Settings.Hash() {
			until = "stays so: " + kept.Why
		}
	}
	return "dockersh: this container was made " + what + ", and " + until
}

// vanishedNotice is for the first login after somebody removed the container with all
// work in it.
const vanishedNotice = "dockersh: this is a new container; the last one was removed outside dockersh"
