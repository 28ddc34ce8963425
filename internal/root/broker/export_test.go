package broker

import (
	"os"

	"github.com/dockersh/dockersh/internal/root/state"
)

// forget takes the agents' sockets of a container away, as if they had ended.
func (b *Broker) forget(container string) {
	_ = os.RemoveAll(string(state.RunDir(b.Run).Container(container)))
}
