package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	numbers "math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Remote is an engine as on another host: it is reached by TLS alone, and has nothing
// in common with the first one but the kernel.
var Remote = EngineOnce(startRemote)

const (
	// RemoteAddress is the address of that engine.
	RemoteAddress = "tcp://127.0.0.1:2376"
	// RemoteTLS has the keys and certificates, named as docker's documentation does.
	RemoteTLS = Scratch + "/tls"
	// remoteBridge is the engine's own: one without any removes those of others.
	remoteBridge = "dshremote"
)

// RemoteDaemon is the process of that engine.
var RemoteDaemon = &Daemon{
	Name: "dockerd-remote",
	Argv: []string{"dockerd", "--host", RemoteAddress, "--tlsverify",
		"--tlscacert", RemoteTLS + "/ca.pem", "--tlscert", RemoteTLS + "/server-cert.pem", "--tlskey", RemoteTLS + "/server-key.pem",
		"--data-root", os.Getenv("APART") + "/docker-remote", "--exec-root", "/run/docker-remote", "--pidfile", "/run/docker-remote.pid",
		"--bridge=" + remoteBridge, "--iptables=false", "--ip6tables=false", "--ip-masq=false",
		"--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent=/" + filepath.Base(os.Getenv("APART")) + "/remote", "--shutdown-timeout", "5"},
	Ready: func() bool { return TryRemoteDocker("version") == nil },
}

// TryRemoteDocker runs docker with that engine where a test must not be ended.
func TryRemoteDocker(args ...string) error {
	return TryDocker(append([]string{"--host", RemoteAddress, "--tlsverify",
		"--tlscacert", RemoteTLS + "/ca.pem", "--tlscert", RemoteTLS + "/cert.pem", "--tlskey", RemoteTLS + "/key.pem"}, args...)...)
}

// startRemote starts the engine with busybox as its only image.
func startRemote() error {
	if err := makeCertificates(RemoteTLS); err != nil {
		return err
	}
	_ = exec.Command("ip", "link", "delete", remoteBridge).Run() // of a binary before
	for _, args := range [][]string{{"link", "add", remoteBridge, "type", "bridge"}, {"address", "add", "10.213.7.1/24", "dev", remoteBridge}, {"link", "set", remoteBridge, "up"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return &failed{"ip " + strings.Join(args, " "), string(out)}
		}
	}
	if err := os.RemoveAll(os.Getenv("APART") + "/docker-remote"); err != nil {
		return err
	}
	if err := RemoteDaemon.Start(); err != nil {
		return err
	}
	return TryRemoteDocker("import", ImageTar("busybox"), "busybox")
}

// addRemoteUser adds a user whose containers are on that engine.
func addRemoteUser(lines ...string) (*Account, error) {
	a, err := addAccount(Front)
	if err != nil {
		return nil, err
	}
	return a, a.Set(append([]string{"dockersocket = " + RemoteAddress, "dockertls = " + RemoteTLS}, lines...)...)
}

// NewRemoteUser adds a user whose containers are on Remote, until the test ends.
func NewRemoteUser(t testing.TB, lines ...string) *Account {
	t.Helper()
	u, err := addRemoteUser(lines...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = TryRemoteDocker("rm", "-f", u.Name+"_dockersh")
		u.Remove(t)
	})
	return u
}

// makeCertificates makes an authority, a server and a client.
func makeCertificates(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	authority, err := certify(dir, "ca.pem", "ca-key.pem", nil, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	if err != nil {
		return err
	}
	if _, err := certify(dir, "server-cert.pem", "server-key.pem", authority, func(c *x509.Certificate) {
		c.ExtKeyUsage, c.IPAddresses = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []net.IP{net.IPv4(127, 0, 0, 1)}
	}); err != nil {
		return err
	}
	_, err = certify(dir, "cert.pem", "key.pem", authority, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
	return err
}

// A signer signs certificates.
type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// certify makes a key and its certificate, signed by an authority or by itself.
func certify(dir, certFile, keyFile string, by *signer, set func(*x509.Certificate)) (*signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, numbers.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: certFile},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	set(c)
	own := &signer{c, key}
	if by == nil {
		by = own
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, &key.PublicKey, by.key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return nil, err
		}
	}
	return own, nil
}
