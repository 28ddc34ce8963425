package bringup

import (
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// checkPod refuses a pod that another login host made. That one alone knows whether somebody is in
// it, or still makes it, and removes it.
func (a *coldLogin) checkPod(found *engine.Container) error {
	if !a.plan.Engine().IsCluster() || a.dir.HasMark(found.Labels[engine.LabelMark]) {
		return nil
	}
	return usererr.New(usererr.Container, "the container "+a.plan.Container+" belongs to another login host",
		"log in there, or ask the administrator to run: dockershctl rm "+a.plan.Container+" (on that host)", nil)
}
