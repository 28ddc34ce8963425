// Package reach finds what a user's container reaches over the network, and where the forwards of
// a connection of ssh lead, by real connections between network namespaces.
package reach

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/admin/doctor/checks"
	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/netns"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// IDs of the findings.
const (
	neighbourID = "neighbour-reached"
	hostID      = "host-reached"
	metadataID  = "metadata-reached"
)

// IDs returns the names of the findings.
func IDs() []string { return []string{ConnectionID, neighbourID, hostID, metadataID} }

const (
	// dialLimit is how long a connection may take, on a busy machine: a packet filter drops it
	// silently.
	dialLimit = 2 * time.Second
	// limit bounds what the engine is asked.
	limit = 30 * time.Second
	// metadata is where clouds serve what a machine may know of itself, its keys included.
	metadata = "169.254.169.254:80"
)

// Possible reports whether the user's container has a network of its own on this host, by an
// engine that belongs to root.
func Possible(u *facts.User) bool {
	return u.Settings != nil && u.Joins && u.ByAddress == "" && u.ByKey == "" && policy.EngineOf(u.Settings).Local()
}

// Try connects from the running container of a user to the services of its gateway, to a
// container of another user and to the metadata service of clouds. What cannot be tried is no
// finding: the container may have no network.
func Try(ctx context.Context, u *facts.User, open engine.Opener) []checks.Finding {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	d, err := open(policy.EngineOf(u.Settings))
	if err != nil {
		return nil
	}
	defer d.Close()
	ns, err := networkOf(ctx, d, u.Settings.ContainerName)
	if err != nil {
		return nil
	}
	defer ns.Close()
	var gateway netip.Addr
	if err := netns.In(ns, func() { gateway = defaultGateway() }); err != nil || !gateway.IsValid() {
		return nil
	}
	bridge := filterName(interfaceWith(gateway))
	var found []checks.Finding
	add := func(id, text string, lines ...string) {
		found = append(found, checks.Finding{ID: id, Severity: checks.Warning, Users: []string{u.Name}, Text: text,
			File: "/etc/nftables.conf", Lines: lines, Why: "docs/hardening.md"})
	}
	if name := neighbour(ctx, d, u, ns); name != "" {
		add(neighbourID, "the container reaches what listens in "+name+", which is another user's: "+reason(bridge), neighbourLine(bridge))
	}
	if l, err := greet(nil, net.JoinHostPort(gateway.String(), "0")); err == nil {
		if greets(ns, l.Addr().String()) {
			add(hostID, "the container reaches what listens on all addresses of the host, at "+gateway.String(), hostLine(bridge))
		}
		_ = l.Close()
	}
	if c, err := dial(ns, metadata); err == nil {
		_ = c.Close()
		add(metadataID, "the container reaches the metadata service of the cloud, which may give away keys", metadataLine(bridge))
	}
	return found
}

// reason returns why containers on a bridge reach each other.
func reason(bridge string) string {
	if bridge == ownBridges {
		return "the packet filter of the engine is off"
	}
	return "the settings, or those of when it was made, name a network in which containers meet"
}

// neighbour returns the name of a running container of another user that is reached; empty if
// none is. One is tried.
func neighbour(ctx context.Context, d engine.Engine, u *facts.User, ns *os.File) string {
	all, err := d.List(ctx, false)
	if err != nil {
		return ""
	}
	for _, c := range all {
		if c.State != engine.Running || c.Name == u.Settings.ContainerName || c.Labels[engine.LabelUser] == u.Name {
			continue
		}
		theirs, err := networkOf(ctx, d, c.Name)
		if err != nil {
			continue
		}
		reached, tried := reachesNetwork(ns, theirs)
		_ = theirs.Close()
		if reached {
			return c.Name
		}
		if tried {
			return ""
		}
	}
	return ""
}

// reachesNetwork reports whether a listener in another network is reached, and whether there
// was one to try.
func reachesNetwork(from, to *os.File) (reached, tried bool) {
	var at netip.Addr
	if err := netns.In(to, func() { at = ownAddress() }); err != nil || !at.IsValid() {
		return false, false
	}
	l, err := greet(to, net.JoinHostPort(at.String(), "0"))
	if err != nil {
		return false, false
	}
	defer l.Close()
	return greets(from, l.Addr().String()), true
}

// greets reports whether a network reaches one of our listeners.
func greets(ns *os.File, address string) bool {
	c, err := dial(ns, address)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(dialLimit))
	text, _ := io.ReadAll(io.LimitReader(c, int64(len(greeting))))
	return string(text) == greeting
}

func dial(ns *os.File, address string) (c net.Conn, err error) {
	if enterErr := netns.In(ns, func() { c, err = net.DialTimeout("tcp", address, dialLimit) }); enterErr != nil {
		return nil, enterErr
	}
	return c, err
}

// ownAddress returns an IPv4 address of this thread's network that others may reach.
func ownAddress() netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && p.Addr().IsGlobalUnicast() {
			return p.Addr()
		}
	}
	return netip.Addr{}
}

// interfaceWith returns the name of the host's interface with an address; empty if it has none.
func interfaceWith(address netip.Addr) string {
	all, err := net.Interfaces()
	if err != nil {
		return ""
	}
	for _, i := range all {
		addresses, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr() == address {
				return i.Name
			}
		}
	}
	return ""
}

// defaultGateway returns the gateway of the default route of this thread's network.
func defaultGateway() netip.Addr {
	f, err := os.Open("/proc/thread-self/net/route")
	if err != nil {
		return netip.Addr{}
	}
	defer f.Close()
	return parseGateway(f)
}

// parseGateway reads a table as /proc/net/route: Iface, Destination, Gateway and more, numbers
// in the order of the host's bytes.
func parseGateway(r io.Reader) netip.Addr {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
			continue
		}
		b, err := hex.DecodeString(f[2])
		if err != nil || len(b) != 4 {
			continue
		}
		var a [4]byte
		binary.NativeEndian.PutUint32(a[:], binary.BigEndian.Uint32(b))
		return netip.AddrFrom4(a)
	}
	return netip.Addr{}
}

// ownBridges is the pattern for all of dockersh's own.
const ownBridges = engine.OwnBridges + "*"

// filterName returns the pattern for nft(8) of a bridge: all of dockersh's own, where it is one.
func filterName(bridge string) string {
	if bridge == "" || strings.HasPrefix(bridge, engine.OwnBridges) {
		return ownBridges
	}
	return bridge
}

// The lines stand in tables of their own, so that each can be written alone. A packet is
// dropped that one table drops.
func hostLine(bridge string) string {
	return fmt.Sprintf(`table inet dockersh_host { chain input { type filter hook input priority filter; `+
		`iifname "%[1]s" ct state established,related accept; iifname "%[1]s" drop; }; }`, bridge)
}

func metadataLine(bridge string) string {
	return fmt.Sprintf(`table inet dockersh_metadata { chain forward { type filter hook forward priority filter; `+
		`iifname "%s" ip daddr 169.254.0.0/16 drop; }; }`, bridge)
}

// neighbourLine also counts for containers of one bridge where br_netfilter is on, as Docker has
// it.
func neighbourLine(bridge string) string {
	return fmt.Sprintf(`table inet dockersh_users { chain forward { type filter hook forward priority filter; `+
		`iifname "%[1]s" oifname "%[1]s" drop; }; }`, bridge)
}
