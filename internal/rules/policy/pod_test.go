package policy

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

const inCluster = "[dockersh]\ndockersocket = kubernetes://lab\nkubeconfig = \"/etc/k#c\"\n"

func TestPodsAreRefusedWhatTheyCannotHave(t *testing.T) {
	for lines, names := range map[string]string{
		"mounthome": "homeclaim", "mounttmp": "/tmp", "mountdockersocket": "engine", "dockeropt = --init": "podtemplate",
		"volume = /a:/b": "podtemplate", "network = host": "NetworkPolicy", "pidslimit = 7": "podPidsLimit", "sudo": "image",
		"adopt": "entered", "onchange = apply": "recreate", "idletimeout = 1h": "linger", "reverseforward = 1:1": "loopback",
		"env = A": "NAME=VALUE", "containername = room": "%u",
	} {
		if _, err := decide(t, alice, inCluster+lines, "", Request{}); err == nil || !strings.Contains(err.Error()+hintOf(err), names) {
			t.Errorf("%s: %v", lines, err)
		}
	}
	for _, own := range []string{"dockersocket = kubernetes://other", "dockersocket = kubernetes://lab"} {
		const gate = "[dockersh]\nenableuserconfig\nenableuserdockersocket\n"
		if _, err := decide(t, alice, gate, "[dockersh]\n"+own, Request{}); err == nil {
			t.Errorf("a user names the cluster: %s", own)
		}
	}
	for _, lines := range []string{"", "pidslimit = 0", "onchange = recreate", "ephemeral", "containername = %u-%x", "memory = 1g\ncpus = 2", "env = A=b"} {
		if _, err := decide(t, alice, inCluster+lines, "", Request{}); err != nil {
			t.Errorf("%q: %v", lines, err)
		}
	}
}

func TestPodIsDescribedWithoutThisHost(t *testing.T) {
	p := plan(t, alice, inCluster+"homeclaim = home-%u\nhomesize = 5Gi\nhomeclass = fast\npodtemplate = /etc/pod.yaml\npull = always\nmemory = 32m", "")
	if at := p.Engine(); at != (engine.Address{Host: "kubernetes://lab", TLS: "/etc/k#c"}) || !at.IsCluster() || at.Local() {
		t.Errorf("%+v", at)
	}
	who := passwd.Identity{Name: "alice", UID: 1001, GID: 1001, Home: "/home/alice"}
	s := p.Spec(who, "busybox", HostPaths{Helpers: "/h", Run: "/r"})
	if want := (engine.Home{Path: "/home/alice", Claim: "home-alice", Size: "5Gi", Class: "fast"}); s.Home != want {
		t.Errorf("home %+v", s.Home)
	}
	if len(s.Mounts) > 0 || s.ShmSize != "" || s.PidsLimit != 0 || s.Pull != "always" || s.Template != "/etc/pod.yaml" ||
		s.Entrypoint != InitInside || !slices.Equal(s.Cmd, []string{"pause"}) {
		t.Errorf("%+v", s)
	}
	who.Home = "/"
	if s := p.Spec(who, "busybox", HostPaths{}); s.Home.Path != "" {
		t.Errorf("a volume covers %s", s.Home.Path)
	}
}

func hintOf(err error) string {
	var e *usererr.Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}
