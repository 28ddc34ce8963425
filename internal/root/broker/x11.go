package broker

import (
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// reachesX11 reports whether a session may have the display that sshd forwards, and reaches
// it: sshd listens for it in the network of its connection, on the loopback. That must be the
// container's network.
func (b *Broker) reachesX11(f *front, plan *policy.Plan) bool {
	if !plan.ForwardsX11() {
		return false
	}
	if c, ok := b.sessions.ConnectionOf(f.uid, sshd.Ancestors(f.process)); ok && c.Container != state.NoContainer {
		return c.Container == plan.Container
	}
	return plan.Settings.Network == policy.NetworkHost // both are in the host's
}
