// Package transport is the way to an engine: its socket on this host, TCP with
// certificates, or ssh. It reads no environment variable and no file of any user.
package transport

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/trustedpath"
)

// Transport is the way to one engine.
type Transport struct {
	// URL is the address as the option --host of docker takes it.
	URL string
	// Socket is the path of the engine's socket; empty for another host.
	Socket string
	// CA, Cert and Key are files, for TCP alone. Both sides show a certificate: without
	// one, everyone who reaches the port would be root on the engine's host.
	CA, Cert, Key string

	target *target // for ssh
}

// Of returns the way to the engine at an address. It does not connect.
func Of(a engine.Address) (*Transport, error) {
	if a.Local() {
		if filepath.Clean(a.Host) != a.Host || strings.ContainsAny(a.Host, "\x00\n") {
			return nil, fmt.Errorf("engine socket %q is not a clean path", a.Host)
		}
		return &Transport{URL: "unix://" + a.Host, Socket: a.Host}, nil
	}
	u, err := url.Parse(a.Host)
	if err != nil {
		return nil, fmt.Errorf("engine address: %w", err)
	}
	switch {
	case u.Scheme == "tcp" && a.TLS != "" && u.Host != "":
		file := func(name string) string { return filepath.Join(a.TLS, name) }
		return &Transport{URL: a.Host, CA: file("ca.pem"), Cert: file("cert.pem"), Key: file("key.pem")}, nil
	case u.Scheme == "ssh" && u.Hostname() != "":
		return &Transport{URL: a.Host, target: &target{user: u.User.Username(), host: u.Hostname(), port: u.Port()}}, nil
	}
	return nil, fmt.Errorf("engine address %q is neither the path of a socket, nor tcp:// with TLS, nor ssh://", a.Host)
}

// SSH reports whether DialContext is the way to the engine.
func (t *Transport) SSH() bool { return t.target != nil }

// CheckFiles returns an error unless certificates and key belong to root, no other
// user can write them and no other user can read the key.
func (t *Transport) CheckFiles() error {
	for _, path := range []string{t.CA, t.Cert, t.Key} {
		if path == "" {
			continue
		}
		if err := trustedpath.Owned(filepath.Dir(path), 0o022); err != nil {
			return err
		}
		if err := trustedpath.Owned(path, 0o022); err != nil {
			return err
		}
	}
	if t.Key == "" {
		return nil
	}
	return trustedpath.Owned(t.Key, 0o077)
}

// Options are the options of docker that go with URL.
func (t *Transport) Options() []string {
	if t.Key == "" {
		return nil
	}
	return []string{"--tlsverify", "--tlscacert", t.CA, "--tlscert", t.Cert, "--tlskey", t.Key}
}

// Environ is all of the environment that docker gets: it must find ssh. For an
// engine of this host it is empty, so that `--env NAME` without a value finds
// nothing to pass on.
func (t *Transport) Environ() []string {
	if t.SSH() {
		return []string{"PATH=/usr/bin:/bin"}
	}
	return []string{}
}
