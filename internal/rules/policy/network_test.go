package policy

import (
	"testing"

	"github.com/dockersh/dockersh/internal/host/passwd"
)

func TestContainersAreInTheirOwnNetworkUnlessTheSettingsNameOne(t *testing.T) {
	for file, own := range map[string]bool{
		"":                                     true,
		"network =":                            true,
		"network = bridge":                     false,
		"network = container:x":                false,
		"dockeropt = --network=none":           false,
		"dockeropt = --net host":               false,
		"dockeropt = --pod=lab":                false,
		"dockeropt = --network-alias=x":        true,
		"dockeropt = --dns 192.0.2.1":          true,
		"dockersocket = ssh://node7":           true,
		"dockeropt = --publish 127.0.0.1:8::8": true,
	} {
		p := plan(t, alice, "[dockersh]\n"+file, "")
		s := p.Spec(passwd.Identity{UID: 1001}, "id", HostPaths{})
		if s.OwnNetwork != own || own && s.Network != "" {
			t.Errorf("%q: %+v", file, s)
		}
	}
}
