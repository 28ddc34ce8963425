//go:build e2e

package doctor

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// serveMetadata stands in for a cloud: another machine with the address of its metadata service.
func serveMetadata(t *testing.T) {
	t.Helper()
	cmd := exec.Command("unshare", "--net", "sh", "-c", "until ip addr add 169.254.169.254/16 dev meta1; do sleep 0.1; done 2>/dev/null; "+
		"ip link set meta1 up; ip route add default via 169.254.1.1; exec busybox httpd -f -p 80 -h /")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	e2e.OnHost(t, "sh", "-c", "ip link add meta0 type veth peer name meta1 && ip addr add 169.254.1.1/16 dev meta0 && ip link set meta0 up")
	// Until it has unshared, it has the host's network, where the interface is already.
	e2e.Eventually(t, "the metadata service answers", func() bool {
		_ = exec.Command("ip", "link", "set", "meta1", "netns", strconv.Itoa(cmd.Process.Pid)).Run()
		c, err := net.DialTimeout("tcp", "169.254.169.254:80", time.Second)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

func TestDoctorTriesWhatAContainerReaches(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "the network is the engine's")
	const bridged = "/proc/sys/net/bridge/bridge-nf-call-iptables"
	_ = exec.Command("modprobe", "br_netfilter").Run()
	if _, err := os.Stat(bridged); err != nil {
		t.Skip("this machine filters nothing between containers of one bridge: ", err)
	}
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip(err)
	}
	e2e.CanLogIn(t, e2e.NewUser(t))
	u := soundHost(t)
	serveMetadata(t)
	reached := []string{"neighbour-reached", "host-reached", "metadata-reached"}
	if err := os.WriteFile(bridged, []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, id := range reached {
		found, _, status := runDoctor(t, u, "--accept="+acceptedHere)
		f := find(found, id)
		if f == nil || f.Severity != "warning" || f.File != "/etc/nftables.conf" || status != 0 {
			t.Fatalf("%s: %+v, status %d", id, found, status)
		}
		nft := exec.Command("nft", "-f", "-")
		nft.Stdin = strings.NewReader(strings.Join(f.Lines, "\n") + "\n")
		if out, err := nft.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v: %s", f.Lines, err, out)
		}
		words := strings.Fields(f.Lines[0])
		t.Cleanup(func() { e2e.OnHost(t, "nft", "delete", words[0], words[1], words[2]) })
	}
	found, _, _ := runDoctor(t, u, "--accept="+acceptedHere)
	if left := ids(found); slices.ContainsFunc(reached, func(id string) bool { return slices.Contains(left, id) }) {
		t.Errorf("behind the packet filter: %+v", found)
	}
	e2e.SSH(t, u, "echo in").Want(t, "in\n", "", 0)
}
