package explain

import (
	"strconv"

	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// explainChanges adds notes on each difference between a container and the settings of today, and
// on how it goes away.
func (x *explanation) explainChanges(plan *policy.Plan, found *engine.Container) {
	name := plan.Container
	change, stays := policy.LimitsToSet(plan.Settings, found.Limits)
	how := "by dockershctl apply " + name
	if plan.Settings.OnChange == "apply" {
		how = "at the next login of " + plan.User.Name + ", while the container runs"
	}
	if owner, _ := policy.OwnerOf(found.Labels); owner.UID != plan.User.UID {
		how = "if they are those of the user who made the container, by dockershctl apply " + name
	}
	for _, l := range []struct {
		key      string
		has, now int64
		text     func(int64) string
	}{
		{"memory", found.Limits.Memory, change.Memory, human.Bytes},
		{"cpus", found.Limits.CPUs, change.CPUs, func(n int64) string { return strconv.FormatFloat(float64(n)/1e9, 'f', -1, 64) }},
		{"pidslimit", found.Limits.Pids, change.Pids, func(n int64) string { return strconv.FormatInt(n, 10) }},
	} {
		if l.now != 0 {
			x.addNote(l.key + " changes from " + limitText(l.has, l.text) + " to " + limitText(l.now, l.text) + " " + how)
		}
	}
	made := found.Labels[engine.LabelSettings]
	if !stays && (made == plan.Settings.Hash() || found.Labels[engine.LabelFixed] == plan.Settings.FixedHash()) {
		return
	}
	x.addNote("the settings have changed since the container was made")
	if plan.Settings.OnChange == "recreate" {
		x.addNote("a login that finds nobody in the container removes it if the administrator's settings changed: " +
			"what is in its own file system is lost")
		return
	}
	switch image, _ := found.Base(); {
	case image != plan.Settings.ImageName || !plan.Engine().Local():
		x.addNote("they count in a new container: dockershctl reset " + name + " (what is in its own file system is lost)")
	case plan.Settings.OnChange == "apply":
		x.addNote("a login of " + plan.User.Name + " that finds nothing running in the container gives it those of today, " +
			"with what is in its own file system")
	default:
		x.addNote("dockershctl apply " + name + " gives it those of today, with what is in its own file system; " +
			"a new one comes with dockershctl reset " + name)
	}
}

func limitText(n int64, text func(int64) string) string {
	if n <= 0 {
		return "none"
	}
	return text(n)
}
