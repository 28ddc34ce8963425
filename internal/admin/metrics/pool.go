package metrics

import (
	"encoding/binary"
	"net"
	"syscall"
)

// pool are the addresses of the network that containers of an engine of this host share. Podman
// has a network for each container, and no such pool.
type pool struct{ all, used int } // all is 0 where there is none

// taken are the addresses that no container gets: of the network, of the bridge, and for all.
const taken = 3

// readPool asks the kernel about the bridge of the network.
func readPool(bridge string) pool {
	at, err := net.InterfaceByName(bridge)
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
			return pool{all: 1<<(bits-ones) - taken, used: countPorts(at.Index)}
		}
	}
	return pool{}
}

// countPorts returns how many interfaces belong to a bridge: one for each container that runs.
// /sys would show those of the network namespace in which it was mounted.
func countPorts(bridge int) (n int) {
	text, err := syscall.NetlinkRIB(syscall.RTM_GETLINK, syscall.AF_UNSPEC)
	if err != nil {
		return 0
	}
	links, _ := syscall.ParseNetlinkMessage(text)
	for i := range links {
		if links[i].Header.Type != syscall.RTM_NEWLINK {
			continue
		}
		attributes, _ := syscall.ParseNetlinkRouteAttr(&links[i])
		for _, a := range attributes {
			if a.Attr.Type == syscall.IFLA_MASTER && len(a.Value) == 4 && int(binary.NativeEndian.Uint32(a.Value)) == bridge {
				n++
			}
		}
	}
	return n
}
