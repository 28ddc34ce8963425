//go:build e2e

package doctor

import (
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"

	gossh "golang.org/x/crypto/ssh"
)

// What sshd forwards by itself is refused by the lines that dockershctl prints, whatever the
// client asks for, but for the agent, which the login shell carries into the container.
func TestTheSSHDSnippetForwardsNothingButTheAgent(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := soundHost(t)
	e2e.OnHost(t, "usermod", "-s", "/bin/bash", u.Name) // so ForceCommand is what counts
	configureOtherSSHD(t)
	all := 7
	if st, err := os.Stat("/dev/net/tun"); err != nil || st.Mode()&0o006 != 0o006 {
		t.Log("users of this machine make no tunnels: ", err)
		all--
	} else {
		e2e.OnHost(t, "ip", "tuntap", "add", tunnel, "mode", "tun", "user", u.Name)
		t.Cleanup(func() { e2e.OnHost(t, "ip", "link", "del", tunnel) })
	}
	l, err := net.Listen("unix", anybodysSocket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	e2e.OnHost(t, "chmod", "777", anybodysSocket)
	d := startOtherSSHD(t)
	defer func() { d.Stop() }()
	restart := func(t *testing.T, lines string) {
		t.Helper()
		d.Stop()
		e2e.WriteFile(t, "/etc/ssh/sshd_config.d/dockersh.conf", lines)
		d = startOtherSSHD(t)
	}
	if got, want := granted(t, u), []string{"agent"}; !slices.Equal(got, want) {
		t.Errorf("sshd forwards %q, want %q", got, want)
	}
	e2e.StartSSHAgent(t)
	out := e2e.OnHost(t, throughOtherSSHD(u, "-A", "127.0.0.1", `test -e /.dockersh && ls -l "$SSH_AUTH_SOCK"`)...)
	if !strings.HasPrefix(out, "s") {
		t.Errorf("%q", out)
	}

	u.Configure(t, "forwardagent = false")
	snippet, errs, status := e2e.Ctl(t, "sshd-config", u.Name)
	if status != 0 {
		t.Fatal(errs)
	}
	restart(t, snippet)
	if got := granted(t, u); len(got) != 0 {
		t.Errorf("sshd forwards %q", got)
	}

	// sshd grants each of them, so the test above proves something.
	restart(t, "PermitTunnel yes\nX11Forwarding yes\n")
	if got := granted(t, u); len(got) != all {
		t.Errorf("sshd forwards only %q", got)
	}
}

// tunnel is a network device of the host, and anybodysSocket a socket there, that the user may
// open.
const (
	tunnel         = "tun7"
	anybodysSocket = "/tmp/anybodys.sock"
)

// granted returns what sshd forwards for a user.
func granted(t *testing.T, u *e2e.Account) (what []string) {
	t.Helper()
	port, _ := strconv.Atoi(e2e.Port)
	client := e2e.DialGo(t, u, otherPort)
	defer client.Close()
	channels := map[string]struct {
		kind string
		data any
	}{
		"to a port": {"direct-tcpip", struct { // -L, -D, -W
			Host       string
			Port       uint32
			Originator string
			From       uint32
		}{"127.0.0.1", uint32(port), "127.0.0.1", 1}},
		"to a unix socket": {"direct-streamlocal@openssh.com", struct {
			Path, Reserved0 string
			Reserved1       uint32
		}{anybodysSocket, "", 0}},
		"a tunnel": {"tun@openssh.com", struct{ Mode, Unit uint32 }{1, 7}},
	}
	for name, c := range channels {
		if ch, _, err := client.OpenChannel(c.kind, gossh.Marshal(c.data)); err == nil {
			_ = ch.Close()
			what = append(what, name)
		}
	}
	ask := func(name string, send func() (bool, error)) {
		ok, err := send()
		if err != nil {
			t.Fatal(name, err)
		}
		if ok {
			what = append(what, name)
		}
	}
	ask("from a port", func() (bool, error) { // -R
		ok, _, err := client.SendRequest("tcpip-forward", true, gossh.Marshal(struct {
			Host string
			Port uint32
		}{"127.0.0.1", 0}))
		return ok, err
	})
	ask("from a unix socket", func() (bool, error) {
		ok, _, err := client.SendRequest("streamlocal-forward@openssh.com", true, gossh.Marshal(struct{ Path string }{e2e.Homes + "/apart-" + u.Name + "/made-by-sshd"}))
		return ok, err
	})
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	ask("agent", func() (bool, error) { return session.SendRequest("auth-agent-req@openssh.com", true, nil) })
	ask("X11", func() (bool, error) {
		return session.SendRequest("x11-req", true, gossh.Marshal(struct {
			Single           bool
			Protocol, Cookie string
			Screen           uint32
		}{false, "MIT-MAGIC-COOKIE-1", strings.Repeat("0", 32), 0}))
	})
	return what
}
