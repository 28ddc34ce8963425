package policy

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/host/passwd"
)

func TestHostNameInsideIsTheHostsUnlessSomethingElseDecides(t *testing.T) {
	for _, c := range []struct{ host, file, want string }{
		{"login", "", "login"},
		{"login.example.org", "", "login"},
		{"login", "hostname = inner", "inner"},
		{"login", "hostname =", "login"},
		{"localhost.localdomain", "", ""},
		{"", "", ""},
		{".example", "", ""},
		{"-x", "", ""},
		{"(none)", "", ""},
		{"a b", "", ""},
		{strings.Repeat("x", 65), "", ""},
		{"login", "network = host", "login"},
		{"login", "network = container:x", ""},
		{"login", "dockeropt = --network=container:x", ""},
		{"login", "dockeropt = --net container:x", ""},
		{"login", "dockeropt = --net bridge", "login"},
		{"login", "dockeropt = --uts=host", ""},
		{"login", "dockeropt = --hostname other", ""},
		{"login", "dockeropt = -hother", ""},
		{"login", "dockeropt = -h other", ""},
		{"login", "dockeropt = --pod=p", ""},
		{"login", "dockeropt = --health-cmd=true", "login"},
		{"login", "dockersocket = ssh://node7", "login"},
	} {
		p := plan(t, alice, "[dockersh]\n"+c.file, "")
		if got := p.Spec(passwd.Identity{UID: 1001}, "id", HostPaths{Hostname: c.host}).Hostname; got != c.want {
			t.Errorf("host %q, %q: got %q, want %q", c.host, c.file, got, c.want)
		}
	}
}
