package transport

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
)

func TestAddressIsASocketOrTCPWithTLSOrSSH(t *testing.T) {
	for _, a := range []engine.Address{
		{}, {Host: "docker.sock"}, {Host: "/a/../b"}, {Host: "/a\n"}, {Host: "unix:///a"}, {Host: "http:///a"},
		{Host: "tcp://192.0.2.1:2376"}, {Host: "tcp://", TLS: "/tls"}, {Host: "ssh://"}, {Host: "tcp://[", TLS: "/tls"},
	} {
		if got, err := Of(a); err == nil {
			t.Errorf("%+v: %+v", a, got)
		}
	}
	local, err := Of(engine.Address{Host: "/run/a.sock"})
	if err != nil || local.URL != "unix:///run/a.sock" || local.Socket != "/run/a.sock" || len(local.Options()) > 0 || local.Environ() == nil || len(local.Environ()) > 0 {
		t.Errorf("a socket: %+v %v", local, err)
	}
	tcp, err := Of(engine.Address{Host: "tcp://192.0.2.1:2376", TLS: "/tls"})
	if err != nil || tcp.Socket != "" || tcp.SSH() || !slices.Contains(tcp.Options(), "--tlsverify") || !slices.Contains(tcp.Options(), "/tls/key.pem") {
		t.Errorf("TCP: %+v %v", tcp, err)
	}
	ssh, err := Of(engine.Address{Host: "ssh://me@192.0.2.1:22"})
	if err != nil || !ssh.SSH() || *ssh.target != (target{"me", "192.0.2.1", "22"}) {
		t.Errorf("ssh: %+v %v", ssh, err)
	}
}

func TestKeyThatOthersCanReadIsRefused(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make files of root")
	}
	dir := t.TempDir()
	way, err := Of(engine.Address{Host: "tcp://192.0.2.1:2376", TLS: dir})
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"ca.pem": 0o644, "cert.pem": 0o644, "key.pem": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := way.CheckFiles(); err != nil {
		t.Errorf("root's alone: %v", err)
	}
	for _, c := range []struct {
		name, why string
		mode      os.FileMode
	}{{"key.pem", "can be read", 0o644}, {"ca.pem", "can be written", 0o646}, {".", "can be written", 0o777}} {
		path := filepath.Join(dir, c.name)
		was, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		if err := way.CheckFiles(); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s with mode %o: %v", c.name, c.mode, err)
		}
		if err := os.Chmod(path, was.Mode()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOutputIsKeptUpToItsLimit(t *testing.T) {
	var o Output
	for range 3 {
		if n, err := o.Write([]byte(strings.Repeat("x", maxOutput-1))); n != maxOutput-1 || err != nil {
			t.Errorf("%d %v", n, err)
		}
	}
	if len(o.String()) != maxOutput {
		t.Errorf("%d bytes are kept", len(o.String()))
	}
}
