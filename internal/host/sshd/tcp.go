package sshd

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// isEstablished is the state of a connection in /proc/net/tcp (the kernel's
// tcp_states.h).
const isEstablished = "01"

// established reads /proc/net/tcp or tcp6 into to: the far end of each connection, by the
// inode of its socket. An IPv4 address of an IPv6 socket becomes an IPv4 address. The table
// has no zones.
func established(table string, to map[string]netip.Addr) {
	_, rows, _ := strings.Cut(table, "\n") // the first line is the heading
	for line := range strings.Lines(rows) {
		f := strings.Fields(line) // sl local remote state queues timer retransmits uid timeout inode
		if len(f) < 10 || f[3] != isEstablished || f[9] == "0" {
			continue
		}
		if addr, ok := parseAddr(f[2]); ok {
			to[f[9]] = addr
		}
	}
}

// parseAddr reads the address of ADDRESS:PORT. The kernel prints it as words of 32 bits in
// its own byte order.
func parseAddr(s string) (netip.Addr, bool) {
	hex, _, ok := strings.Cut(s, ":")
	if !ok || len(hex) != 8 && len(hex) != 32 {
		return netip.Addr{}, false
	}
	var b []byte
	for ; hex != ""; hex = hex[8:] {
		word, err := strconv.ParseUint(hex[:8], 16, 32)
		if err != nil {
			return netip.Addr{}, false
		}
		b = binary.NativeEndian.AppendUint32(b, uint32(word))
	}
	addr, ok := netip.AddrFromSlice(b)
	return addr.Unmap(), ok
}
