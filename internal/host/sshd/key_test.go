package sshd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// keygen makes a key or a certificate with the real program. It returns what sshd would
// write of it, and its fingerprint in our letters.
func keygen(t *testing.T, kind string, certificate bool) (info, want string) {
	t.Helper()
	dir := t.TempDir()
	run := func(args ...string) string {
		out, err := exec.Command("ssh-keygen", args...).Output()
		if err != nil {
			t.Skipf("ssh-keygen %q: %v", args, err)
		}
		return string(out)
	}
	key := filepath.Join(dir, "key")
	run("-q", "-t", kind, "-N", "", "-f", key)
	fingerprint := strings.Fields(run("-l", "-f", key+".pub"))[1]
	file := key + ".pub"
	if certificate {
		run("-q", "-t", "ed25519", "-N", "", "-f", key+"ca")
		run("-q", "-s", key+"ca", "-I", "id", "-n", "alice", key+".pub")
		file = key + "-cert.pub"
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(data))
	return "publickey " + f[0] + " " + f[1] + "\n", strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimPrefix(fingerprint, "SHA256:"))
}

func TestFingerprintAgreesWithSSHKeygen(t *testing.T) {
	for _, kind := range []string{"ed25519", "rsa", "ecdsa"} {
		for _, certificate := range []bool{false, true} {
			info, want := keygen(t, kind, certificate)
			if got, err := Key(info); err != nil || got != want {
				t.Errorf("%s, certificate %v: got %s %v, want %s", kind, certificate, got, err, want)
			}
			if got, err := Key("password\n" + info + "keyboard-interactive/pam\n"); err != nil || got != want {
				t.Errorf("%s among others: %s %v", kind, got, err)
			}
		}
	}
}

func TestOtherLinesHaveNoKey(t *testing.T) {
	info, _ := keygen(t, "ed25519", true)
	for _, bad := range []string{
		"", "password\n", "keyboard-interactive/pam\n", "publickey\n", "publickey ssh-ed25519\n", "publickey ssh-ed25519 ****\n",
		"publickey ssh-ed25519 AAAA\n", "hostbased ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== host user\n",
		strings.Replace(info, " ssh-ed25519-cert-v01", " ssh-dss-cert-v01", 1), info[:60] + "\n",
	} {
		if got, err := Key(bad); err == nil {
			t.Errorf("%q: %s", bad, got)
		}
	}
}

func FuzzKey(f *testing.F) {
	f.Add("publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n")
	f.Add("password\npublickey ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAAWEAAAABYg==\n")
	f.Fuzz(func(t *testing.T, info string) {
		fp, err := Key(info)
		if err == nil && (len(fp) != 43 || strings.Trim(fp, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "") {
			t.Errorf("%q: %q", info, fp)
		}
	})
}
