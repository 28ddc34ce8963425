//go:build e2e

package e2e

import (
	"os"
	"testing"

	gossh "golang.org/x/crypto/ssh"
)

// dialGo is a client in Go, for what the real one hides: death by signal.
func dialGo(t testing.TB, a *account) *gossh.Client {
	t.Helper()
	pem, err := os.ReadFile(scratch + "/key")
	if err != nil {
		t.Fatal(err)
	}
	key, err := gossh.ParsePrivateKey(pem)
	if err != nil {
		t.Fatal(err)
	}
	client, err := gossh.Dial("tcp", "127.0.0.1:"+port, &gossh.ClientConfig{
		User:            a.name,
		Auth:            []gossh.AuthMethod{gossh.PublicKeys(key)},
		HostKeyCallback: gossh.InsecureIgnoreHostKey(), // our own loopback
		Timeout:         limit,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// session opens a session of a Go client.
func session(t testing.TB, a *account) *gossh.Session {
	t.Helper()
	s, err := dialGo(t, a).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
