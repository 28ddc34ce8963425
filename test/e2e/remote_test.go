//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	numbers "math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// remote is an engine as on another host: it is reached by TLS alone, and has
// nothing in common with the first one but the kernel.
const (
	remoteAddress = "tcp://127.0.0.1:2376"
	remoteTLS     = scratch + "/tls"
	// Its own: an engine takes away the bridge of another that it does not use.
	remoteBridge = "dshremote"
)

var remote = &daemon{
	name: "dockerd-remote",
	argv: []string{"dockerd", "--host", remoteAddress, "--tlsverify",
		"--tlscacert", remoteTLS + "/ca.pem", "--tlscert", remoteTLS + "/server-cert.pem", "--tlskey", remoteTLS + "/server-key.pem",
		"--data-root", os.Getenv("APART") + "/docker-remote", "--exec-root", "/run/docker-remote", "--pidfile", "/run/docker-remote.pid",
		"--bridge=" + remoteBridge, "--iptables=false", "--ip6tables=false", "--ip-masq=false",
		"--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent=/" + filepath.Base(os.Getenv("APART")) + "/remote", "--shutdown-timeout", "5"},
	ready: func() bool { return remoteDocker("version") == nil },
}

// remoteDocker is the command line of that engine.
func remoteDocker(args ...string) error { return tryDocker(append(remoteFlags(), args...)...) }

func remoteFlags() []string {
	return []string{"--host", remoteAddress, "--tlsverify",
		"--tlscacert", remoteTLS + "/ca.pem", "--tlscert", remoteTLS + "/cert.pem", "--tlskey", remoteTLS + "/key.pem"}
}

// startRemote starts the engine once, with busybox as its only image.
var startRemote = sync.OnceValue(func() error {
	if err := makeCertificates(remoteTLS); err != nil {
		return err
	}
	for _, args := range [][]string{{"link", "add", remoteBridge, "type", "bridge"}, {"address", "add", "10.213.7.1/24", "dev", remoteBridge}, {"link", "set", remoteBridge, "up"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return &failed{"ip " + strings.Join(args, " "), string(out)}
		}
	}
	if err := remote.start(); err != nil {
		return err
	}
	return remoteDocker("import", os.Getenv("REPO")+"/build/images/busybox.tar", "busybox")
})

// stopRemote ends the engine, and with it the containers.
func stopRemote() {
	if remote.cmd != nil {
		remote.stop()
	}
}

// abroad is a user whose engine is that one.
func abroad(lines ...string) (*account, error) {
	if err := startRemote(); err != nil {
		return nil, err
	}
	a, err := addUser(front)
	if err != nil {
		return nil, err
	}
	return a, a.set(append([]string{"dockersocket = " + remoteAddress, "dockertls = " + remoteTLS}, lines...)...)
}

// newAbroad is abroad for one test.
func newAbroad(t *testing.T, lines ...string) *account {
	t.Helper()
	u, err := abroad(lines...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = remoteDocker("rm", "-f", u.name+"_dockersh")
		u.remove(t)
	})
	return u
}

// makeCertificates makes an authority with a server and a client, named as
// docker's own documentation names them.
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

// signer can sign certificates.
type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// certify makes a key and its certificate; without an authority it is its own.
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

func TestAnEngineElsewhereMakesTheContainer(t *testing.T) {
	u := newAbroad(t)
	ssh(t, u, "whoami; pwd; cat /proc/1/cmdline | tr '\\0' ' '; touch kept").want(t, u.name+"\n"+u.home+"\n/.dockersh/dockersh-init hold ", "", 0)
	if len(u.containers(t)) != 0 {
		t.Error("it is on the engine of this host")
	}
	// Its state stays when it is stopped, and the stop is no kill: process 1 hears it.
	start := time.Now()
	if err := remoteDocker("stop", "-t", "30", u.name+"_dockersh"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("stopped after %v", took)
	}
	ssh(t, u, "ls").want(t, "kept\n", "", 0)
	// What sessions leave behind is reaped.
	ssh(t, u, "sh -c 'sleep 0.1 & exec true'").want(t, "", "", 0)
	eventually(t, "no zombie is left", func() bool {
		return ssh(t, u, "ps -o stat | grep -c Z").stdout == "0\n"
	})
	out, err := exec.Command(prefix+"/bin/dockershctl", "explain", u.name).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "the engine is on another host") || !strings.Contains(string(out), "(running)") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestAnEngineElsewhereThatIsDownIsOneLine(t *testing.T) {
	u := newAbroad(t)
	works(t, u)
	remote.signal(syscall.SIGKILL)
	r := ssh(t, u, "true")
	if err := remote.start(); err != nil {
		t.Fatal(err)
	}
	r.refused(t, "engine")
	eventually(t, "the engine is back", func() bool { return ssh(t, u, "echo works").stdout == "works\n" })
}

func TestWhatAnEngineElsewhereCannotGive(t *testing.T) {
	u := newAbroad(t, "mounthome")
	ssh(t, u, "true").refused(t, "mounthome")
	// Keys that others can read are not used, nor is an engine without them.
	dir := scratch + "/open-tls"
	run(t, "cp", "-a", remoteTLS, dir)
	run(t, "chmod", "644", dir+"/key.pem")
	if err := u.set("dockersocket = "+remoteAddress, "dockertls = "+dir); err != nil {
		t.Fatal(err)
	}
	ssh(t, u, "true").refused(t)
	if !strings.Contains(broker.log(), "key.pem is open to others") {
		t.Error("the log does not say why")
	}
	if err := u.set("dockersocket = " + remoteAddress); err != nil {
		t.Fatal(err)
	}
	ssh(t, u, "true").refused(t, "dockertls")
}

func TestASharedContainerElsewhereKnowsAllItsUsers(t *testing.T) {
	lines := []string{"containername = abroad-shared"}
	a, b := newAbroad(t, lines...), newAbroad(t, lines...)
	t.Cleanup(func() { _ = remoteDocker("rm", "-f", "abroad-shared") })
	ssh(t, a, "whoami").want(t, a.name+"\n", "", 0)
	ssh(t, b, "whoami; pwd").want(t, b.name+"\n"+b.home+"\n", "", 0)
}

func TestAnEngineElsewhereAdopts(t *testing.T) {
	u := newAbroad(t)
	if err := u.set("dockersocket = "+remoteAddress, "dockertls = "+remoteTLS, "adopt", "containername = abroad-hand", "usercwd = /"); err != nil {
		t.Fatal(err)
	}
	ssh(t, u, "true").refused(t, "there is no container abroad-hand")
	if err := remoteDocker("create", "--name", "abroad-hand", "busybox", "sleep", "infinity"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = remoteDocker("rm", "-f", "abroad-hand") })
	works(t, u)
}

// An engine over ssh: the broker and its bridges run ssh as root, and there the
// engine's own command line has the engine on its standard input and output.
func TestAnEngineOverSSH(t *testing.T) {
	// root's home is the machine's: keys and known hosts by the private /etc.
	config := "Host 127.0.0.1\n\tIdentityFile " + scratch + "/key\n\tIdentitiesOnly yes\n\tUserKnownHostsFile /dev/null\n\tStrictHostKeyChecking no\n\tLogLevel ERROR\n"
	const file = "/etc/ssh/ssh_config"
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(config+string(old)), 0o644); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(scratch + "/key.pub")
	if err != nil {
		t.Fatal(err)
	}
	root := &account{name: "root"}
	if err := root.authorize(string(key)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.WriteFile(file, old, 0o644)
		_ = os.Remove(scratch + "/keys/root")
	})
	u := newBoxed(t, "dockersocket = ssh://root@127.0.0.1:"+port)
	ssh(t, u, "whoami; pwd; exit 4").want(t, u.name+"\n"+u.home+"\n", "", 4)
	if got := inspect(t, u.container(t), "{{len .Mounts}}"); got != "0" {
		t.Errorf("%s mounts of this host", got)
	}
	sshInput(t, u, noise(3, 1e6), "sha256sum | cut -c1-4; echo err >&2").want(t, sha256Start(3, 1e6)+"\n", "err\n", 0)
	c := newConsole(t, 41, 133, sshArgv(u, "-tt", "127.0.0.1", "stty size; cat")...)
	c.expect("41 133")
	mark := "sleep 1" + u.name[4:] + "31"
	d := sshConsole(t, u, mark)
	eventually(t, "the command runs", func() bool { return argsRun(mark) })
	_ = d.cmd.Process.Kill()
	eventually(t, "the command is hung up", func() bool { return !argsRun(mark) })
	c.send("\x04")
	if status := c.wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	eventually(t, "no bridge is left", func() bool { return !runsProgram(bridge) })
	// A host that knows not our key: a line, no hang, no question.
	if err := os.Remove(scratch + "/keys/root"); err != nil {
		t.Fatal(err)
	}
	broker.restart(t, syscall.SIGTERM) // with it the connections that it keeps
	r := ssh(t, u, "true")
	r.refused(t, "engine")
	if r.took > limit {
		t.Errorf("took %v", r.took)
	}
	if !strings.Contains(broker.log(), "Permission denied") {
		t.Error("the log does not say why")
	}
}

func sha256Start(seed byte, n int64) string {
	s := sum(noise(seed, n))
	return fmt.Sprintf("%x", s[:2])
}
