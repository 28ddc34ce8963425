package metrics

import (
	"net"
	"os"
	"path/filepath"
)

// pool are the addresses of the network that containers of an engine of this host share. Podman
// has a network for each container, and no such pool.
type pool struct{ all, used int } // all is 0 where there is none

// taken are the addresses that no container gets: of the network, of the bridge, and for all.
const taken = 3

// readPool looks at the bridge of the network, by its directory in /sys.
func readPool(bridge string) (p pool) {
	ports, err := os.ReadDir(bridge + "/brif") // one for each container that runs
	if err != nil {
		return pool{}
	}
	at, err := net.InterfaceByName(filepath.Base(bridge))
	if err != nil {
		return pool{}
	}
	addresses, _ := at.Addrs()
	for _, a := range addresses {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.To4() == nil {
			continue
		}
		if ones, bits := n.Mask.Size(); bits-ones > 2 {
			return pool{all: 1<<(bits-ones) - taken, used: len(ports)}
		}
	}
	return pool{}
}
