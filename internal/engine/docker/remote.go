package docker

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// Open returns the engine at an address; like New it does not connect.
func Open(a engine.Address) (engine.Engine, error) {
	if a.Local() {
		return New(a.Host)
	}
	u, err := url.Parse(a.Host)
	if err != nil {
		return nil, fmt.Errorf("engine address: %w", err)
	}
	e := &Engine{}
	switch {
	case u.Scheme == "tcp" && a.TLS != "" && u.Host != "":
		e.remote = &tcp{host: a.Host, ca: filepath.Join(a.TLS, "ca.pem"), cert: filepath.Join(a.TLS, "cert.pem"), key: filepath.Join(a.TLS, "key.pem")}
	case u.Scheme == "ssh" && u.Hostname() != "":
		e.remote = &overSSH{address: a.Host, user: u.User.Username(), host: u.Hostname(), port: u.Port()}
	default:
		return nil, fmt.Errorf("engine address %q is neither a socket, nor tcp with TLS, nor ssh", a.Host)
	}
	return e, nil
}

// remote is the way to an engine that is not on this host.
type remote interface {
	// options make the client.
	options() ([]client.Opt, error)
	// arguments are the same way for the engine's command line, and environ what
	// it needs for it.
	arguments() []string
	environ() []string
}

// options of the client for this engine.
func (e *Engine) options() ([]client.Opt, error) {
	if e.remote != nil {
		return e.remote.options()
	}
	return []client.Opt{client.WithHost("unix://" + e.socket)}, nil
}

// tcp is an engine behind TLS, where both sides show a certificate. Without it
// anyone who reaches the port has the engine's host.
type tcp struct{ host, ca, cert, key string }

func (t *tcp) options() ([]client.Opt, error) {
	for _, path := range []string{t.ca, t.cert, t.key} {
		others := os.FileMode(0o022)
		if path == t.key {
			others = 0o077
		}
		for _, p := range []struct {
			path   string
			others os.FileMode
		}{{filepath.Dir(path), 0o022}, {path, others}} {
			fi, err := os.Stat(p.path)
			if err != nil {
				return nil, err
			}
			if err := onlyRoots(p.path, fi, 0o022); err != nil {
				return nil, err
			}
			if fi.Mode().Perm()&p.others != 0 {
				return nil, fmt.Errorf("%s is open to others than root", p.path)
			}
		}
	}
	return []client.Opt{client.WithTLSClientConfig(t.ca, t.cert, t.key), client.WithHost(t.host)}, nil
}

func (t *tcp) arguments() []string {
	return []string{"--host", t.host, "--tlsverify", "--tlscacert", t.ca, "--tlscert", t.cert, "--tlskey", t.key}
}

func (t *tcp) environ() []string { return nil }

// overSSH is an engine that a command line over ssh speaks to, as docker's own
// does it: `docker system dial-stdio` there has the engine on its standard input
// and output.
type overSSH struct{ address, user, host, port string }

func (s *overSSH) options() ([]client.Opt, error) {
	return []client.Opt{
		// Only the dialler knows the host; this name is never looked up.
		client.WithHost("http://docker.invalid"),
		client.WithDialContext(func(context.Context, string, string) (net.Conn, error) { return s.dial() }),
	}, nil
}

func (s *overSSH) arguments() []string { return []string{"--host", s.address} }

// environ lets the command line find ssh.
func (s *overSSH) environ() []string { return []string{"PATH=/usr/bin:/bin"} }
