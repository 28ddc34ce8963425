package broker

import (
	"github.com/dockersh/dockersh/internal/root/rundir"
	"os"
)

// forget takes the agents' sockets of a container away, as if they had ended.
func (b *Broker) forget(container string) { _ = os.RemoveAll(string(rundir.Of(b.Run, container))) }
