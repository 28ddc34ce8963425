package dialect

import (
	"errors"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// The texts are those of Docker 20.10 and 28, and of Podman 4.3 and 5.
func TestUsualRefusalsOfEnginesAreExplained(t *testing.T) {
	for text, want := range map[string]string{
		"Error response from daemon: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network":    "no free range of addresses",
		"Error response from daemon: all predefined address pools have been fully subnetted":                                                        "no free range of addresses",
		"Error response from daemon: no available IPv4 addresses on this network's address pools: small (1a2b)":                                     "no free address",
		`netavark: IPAM error: failed to find free IP in range: 10.9.0.1 - 10.9.0.2: all available ips used`:                                        "no free address",
		`netavark: nftables error: unable to execute nft: No such file or directory (os error 2)`:                                                   "lacks the program nft",
		`netavark: iptables: No such file or directory (os error 2)`:                                                                                "lacks the program iptables",
		`setting up Pasta: could not find pasta, the network namespace can't be configured: exec: "pasta": executable file not found in $PATH`:      "lacks the program pasta",
		"Error response from daemon: network none-such not found":                                                                                   "no network none-such",
		"Error: unable to find network with name or ID none-such: network not found":                                                                "no network none-such",
		"driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:8080 failed: port is already allocated":                    "a port that the settings publish",
		"Error: rootlessport listen tcp 0.0.0.0:8080: bind: address already in use":                                                                 "a port that the settings publish",
		`OCI runtime create failed: runc create failed: unable to join session keyring: unable to create session key: disk quota exceeded: unknown`: "another keyring",
		"Error response from daemon: Unknown runtime specified nosuch":                                                                              "no runtime",
		"Error response from daemon: unknown or invalid runtime name: nosuch":                                                                       "no runtime",
		`Error: OCI runtime "nosuch" not found: invalid argument`:                                                                                   "no runtime",
		"Error response from daemon: Minimum memory limit allowed is 6MB":                                                                           "Minimum memory limit allowed is 6MB",
		"Error response from daemon: Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available":                                        "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
		"container rootfs is marked read-only":                                                                                                      "--read-only in dockeropt",
		"no matching manifest for linux/arm64/v8 in the manifest list entries":                                                                      "processor",
		"write /var/lib/docker/tmp/x: no space left on device":                                                                                      "disk is full",
	} {
		var e *usererr.Error
		cause := errors.New(text)
		err := Refusal("podman", cause)
		if !errors.As(err, &e) || !strings.Contains(e.Text, want) || !errors.Is(err, cause) || strings.Contains(e.Hint, "ENGINE") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"something else", "", `exec: "/bin/nft": stat /bin/nft: no such file or directory`} {
		if err := errors.New(text); Refusal("docker", err) != err {
			t.Errorf("%q was explained", text)
		}
	}
	if Refusal("docker", nil) != nil {
		t.Error("no error was explained")
	}
}
