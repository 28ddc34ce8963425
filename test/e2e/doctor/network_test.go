//go:build e2e

package doctor

import (
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// moduleHost is soundHost with the PAM module, and sshd's lines for it.
func moduleHost(t *testing.T, module string) *e2e.Account {
	t.Helper()
	if _, err := os.Stat(e2e.PAMModule); err != nil {
		t.Skip(err)
	}
	u := soundHost(t)
	snippet, errs, status := e2e.Ctl(t, "sshd-config", "--pam", u.Name)
	if status != 0 {
		t.Fatal(errs)
	}
	e2e.WriteFile(t, "/etc/ssh/sshd_config.d/dockersh.conf", snippet)
	e2e.WriteFile(t, e2e.PAMService, "account required pam_permit.so\nauth required pam_deny.so\nsession required "+module+" close\n"+
		"session required pam_permit.so\nsession required "+module+" open\n")
	return u
}

func TestHostWithTheModuleHasNoFindings(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "the module asks the service alone")
	u := moduleHost(t, e2e.PAMModule)
	found, seconds, status := runDoctor(t, u, accepted)
	if len(found) != 0 || status != 0 || seconds == 0 {
		t.Errorf("%+v, status %d", found, status)
	}
}

// A file of that name that does nothing.
func TestDoctorReachesTheHostThroughAModuleThatDoesNothing(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "the module asks the service alone")
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	e2e.OnHost(t, "sh", "-c", "cp /lib/*/security/pam_permit.so "+dir+"/pam_dockersh.so")
	u := moduleHost(t, dir+"/pam_dockersh.so")
	found, _, status := runDoctor(t, u, accepted)
	f := find(found, "connection")
	if f == nil || status != 1 || !strings.Contains(f.Text, "reaches what listens on the host's loopback") || len(found) != 1 {
		t.Errorf("%+v, status %d", found, status)
	}
}

// Since OpenSSH 10.0 sshd_config says which PAM service counts, even for some users alone.
func TestDoctorLooksAtTheServiceThatSSHDUses(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "the module asks the service alone")
	u := moduleHost(t, e2e.PAMModule)
	const config = "/etc/ssh/sshd_config.d/dockersh.conf"
	lines, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	e2e.WriteFile(t, config, string(lines)+"Match User "+u.Name+"\n\tPAMServiceName others\n")
	if out := e2e.OnHost(t, "sh", "-c", "/usr/sbin/sshd -t 2>&1; true"); strings.Contains(out, "PAMServiceName") {
		t.Skip("this sshd has one service: " + out)
	}
	stack, err := os.ReadFile(e2e.PAMService)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove("/etc/pam.d/others") })
	e2e.WriteFile(t, "/etc/pam.d/others", string(stack))
	if found, _, status := runDoctor(t, u, "--no-login", accepted); len(found) != 0 || status != 0 {
		t.Errorf("%+v, status %d", found, status)
	}
	e2e.WriteFile(t, "/etc/pam.d/others", "session required pam_permit.so\n")
	if found, _, _ := runDoctor(t, u, "--no-login", accepted); find(found, "sshd-tcp") == nil {
		t.Errorf("%q", ids(found))
	}
}

func TestDoctorFindsWhatIsWrongWithTheModule(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "the module asks the service alone")
	u := moduleHost(t, e2e.PAMModule)
	stack, err := os.ReadFile(e2e.PAMService)
	if err != nil {
		t.Fatal(err)
	}
	for id, change := range map[string][2]string{
		"pam-module":  {e2e.PAMModule, "/nonexistent/pam_dockersh.so"},
		"pam-control": {"required " + e2e.PAMModule + " open", "optional " + e2e.PAMModule + " open"},
		"pam-order":   {"session required pam_permit.so\n", ""},
	} {
		text := strings.ReplaceAll(string(stack), change[0], change[1])
		if id == "pam-order" {
			text += "session required pam_permit.so\n"
		}
		e2e.WriteFile(t, e2e.PAMService, text)
		if found, _, _ := runDoctor(t, u, "--no-login", accepted); find(found, id) == nil {
			t.Errorf("%s is not found: %q", id, ids(found))
		}
	}
	// A name service that is not installed is not asked.
	const nsswitch = "/etc/nsswitch.conf"
	e2e.RestoreFile(t, nsswitch)
	services, err := os.ReadFile(nsswitch)
	if err != nil {
		t.Fatal(err)
	}
	e2e.WriteFile(t, nsswitch, strings.Replace(string(services), "\ngroup:", "\ngroup: nis ", 1))
	e2e.WriteFile(t, e2e.PAMService, string(stack))
	if found, _, _ := runDoctor(t, u, "--no-login", accepted); find(found, "pam-names") == nil {
		t.Errorf("pam-names is not found: %q", ids(found))
	}
}
