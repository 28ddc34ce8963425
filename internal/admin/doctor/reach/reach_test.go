package reach

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/internal/host/netns"
	"github.com/dockersh/dockersh/internal/host/proc"
)

func TestGatewayIsThatOfTheDefaultRoute(t *testing.T) {
	const heading = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	for table, want := range map[string]string{
		heading: "invalid IP",
		heading + "eth0\t0000590A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n": "invalid IP",
		heading + "eth0\t0000590A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n" +
			"eth0\t00000000\t0100590A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n": "10.89.0.1",
		heading + "eth0\t00000000\tzz\t0003\t0\t0\t100\t00000000\t0\t0\t0\n": "invalid IP",
	} {
		if got := parseGateway(strings.NewReader(table)).String(); got != want {
			t.Errorf("%q: %s, want %s", table, got, want)
		}
	}
}

func TestOwnBridgesAreFilteredTogether(t *testing.T) {
	for bridge, want := range map[string]string{"": "dockersh*", "dockersh0": "dockersh*", "docker0": "docker0"} {
		if got := filterName(bridge); got != want {
			t.Errorf("%q: %q, want %q", bridge, got, want)
		}
	}
}

// network returns a network namespace with a loopback alone.
func network(t *testing.T) *os.File {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "ip link set lo up; ip addr add 192.0.2.7/32 dev lo; echo up; exec sleep 1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skip(err) // without root
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := out.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	p, err := proc.Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := netns.Of(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	return ns
}

func TestListenersAreReachedInTheirOwnNetworkAlone(t *testing.T) {
	one, other := network(t), network(t)
	if reached, tried := reachesNetwork(one, one); !reached || !tried {
		t.Errorf("itself: %v %v", reached, tried)
	}
	if reached, tried := reachesNetwork(other, one); reached || !tried {
		t.Errorf("another network: %v %v", reached, tried)
	}
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	if greets(one, mute.Addr().String()) {
		t.Error("a listener of the host is reached")
	}
}

func TestLinesAreNft(t *testing.T) {
	nft, err := exec.LookPath("nft")
	if err != nil {
		t.Skip(err)
	}
	for _, line := range []string{neighbourLine("dockersh*"), hostLine("docker0"), metadataLine("dockersh*")} {
		cmd := exec.Command(nft, "-c", "-f", "-")
		cmd.Stdin = strings.NewReader(line + "\n")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if out, err := cmd.CombinedOutput(); err != nil {
			if strings.Contains(string(out), "not permitted") {
				t.Skip(string(out))
			}
			t.Errorf("%s\n%v: %s", line, err, out)
		}
	}
}
