//go:build e2e

package doctor

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestDoctorNamesEachFaultAndTheLineThatMendsIt(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := soundHost(t)
	edit := func(name, old, repl string) func(t *testing.T) {
		return func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil || !strings.Contains(string(b), old) {
				t.Fatalf("%v: no %q in %q", err, old, b)
			}
			t.Cleanup(func() { e2e.WriteFile(t, name, string(b)) })
			e2e.WriteFile(t, name, strings.Replace(string(b), old, repl, 1))
		}
	}
	dropIn := "/etc/ssh/sshd_config.d/dockersh.conf"
	sshd := func(old, repl string) func(t *testing.T) { return edit(dropIn, old, repl) }
	with := func(lines ...string) func(t *testing.T) {
		return func(t *testing.T) {
			base := []string{"mounthome", "mounthomefrom = " + e2e.Homes + "/apart-%u"}
			u.Configure(t, append(base, lines...)...)
			t.Cleanup(func() { u.Configure(t, base...) })
		}
	}
	home := func(t *testing.T) {
		u.Configure(t, "mounthome")
		t.Cleanup(func() { u.Configure(t, "mounthome", "mounthomefrom = "+e2e.Homes+"/apart-%u") })
	}
	mode := func(name string, mode os.FileMode) func(t *testing.T) {
		return func(t *testing.T) {
			st, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(name, st.Mode()) })
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	otherShell := func(path string) func(t *testing.T) {
		return func(t *testing.T) {
			e2e.OnHost(t, "usermod", "-s", path, u.Name)
			t.Cleanup(func() { e2e.OnHost(t, "usermod", "-s", e2e.Front, u.Name) })
		}
	}
	shell := otherShell("/bin/bash")
	for _, c := range []struct {
		id, severity, file, line string
		spoil                    []func(t *testing.T)
		besides                  []string // what is found besides
	}{
		{"sshd-tcp", "error", dropIn, "AllowTcpForwarding no", []func(*testing.T){sshd("AllowTcpForwarding no", "AllowTcpForwarding yes")}, nil},
		{"sshd-tcp", "error", dropIn, "AllowTcpForwarding no", []func(*testing.T){sshd("AllowTcpForwarding no", "AllowTcpForwarding local\n\tPermitOpen 192.0.2.7:80 *:443")}, nil},
		{"sshd-tcp", "error", dropIn, "AllowTcpForwarding no", []func(*testing.T){sshd("AllowTcpForwarding no", "AllowTcpForwarding remote\n\tPermitListen *:*")}, nil},
		{"sshd-gateway", "error", dropIn, "GatewayPorts no", []func(*testing.T){sshd("AllowTcpForwarding no", ""), sshd("GatewayPorts no", "GatewayPorts yes")}, []string{"sshd-tcp"}},
		{"sshd-sockets", "error", dropIn, "AllowStreamLocalForwarding no", []func(*testing.T){sshd("AllowStreamLocalForwarding no", "")}, nil},
		{"sshd-tunnel", "error", dropIn, "PermitTunnel no", []func(*testing.T){sshd("PermitTunnel no", "PermitTunnel yes")}, nil},
		{"sshd-x11", "warning", dropIn, "X11Forwarding no", []func(*testing.T){sshd("X11Forwarding no", "X11Forwarding yes")}, nil},
		{"sshd-user-rc", "warning", dropIn, "PermitUserRC no", []func(*testing.T){sshd("PermitUserRC no", "")}, nil},
		{"sshd-user-environment", "error", dropIn, "PermitUserEnvironment no", []func(*testing.T){sshd("PermitUserEnvironment no", "PermitUserEnvironment yes")}, nil},
		{"sshd-accept-env", "error", dropIn, "AcceptEnv LANG LC_* COLORTERM TZ GIT_PROTOCOL", []func(*testing.T){sshd("AcceptEnv LANG", "AcceptEnv LD_* LANG")}, nil},
		{"sshd-auth-info", "error", dropIn, "ExposeAuthInfo yes", []func(*testing.T){with("record = /srv/recordings/%k.cast"), sshd("ExposeAuthInfo yes", "")}, nil},
		{"sshd-set-env", "error", "", "", []func(*testing.T){sshd("ExposeAuthInfo yes", "SetEnv SSH_CLIENT=192.0.2.9")}, nil},
		{"sshd-internal-sftp", "error", dropIn, "Subsystem sftp /usr/lib/openssh/sftp-server", []func(*testing.T){sshd("ForceCommand", "#"), edit("/etc/ssh/sshd_config", "/usr/lib/openssh/sftp-server", "internal-sftp")}, nil},
		{"sshd-internal-sftp", "error", dropIn, "ForceCommand " + e2e.Front, []func(*testing.T){sshd("ForceCommand "+e2e.Front, "ForceCommand internal-sftp")}, nil},
		{"sshd-unknown", "error", "", "/usr/sbin/sshd -t", []func(*testing.T){sshd("X11Forwarding no", "X11Forwarding perhaps")}, nil},
		{"shell-runs-nothing", "error", "", "chsh -s " + e2e.Front + " USER", []func(*testing.T){otherShell("/usr/sbin/nologin")}, nil},
		{"shell-reads-home", "warning", "", "chsh -s " + e2e.Front + " USER", []func(*testing.T){shell}, nil},
		{"shell-reads-home", "error", "", "chsh -s " + e2e.Front + " USER", []func(*testing.T){shell, home}, []string{"home-shared"}},
		{"shell-of-the-host", "warning", "", "chsh -s " + e2e.Front + " USER", []func(*testing.T){shell, sshd("ForceCommand", "#")}, nil},
		{"home-shared", "warning", e2e.Settings, "mounthomefrom = /srv/homes/%u", []func(*testing.T){home}, nil},
		{"home-shared", "warning", "", "", []func(*testing.T){with("volume = " + e2e.Homes + ":/people")}, nil},
		{"pam-user-environment", "error", "", "sed -i '1s/user_readenv=1/user_readenv=0/' /etc/pam.d/sshd", []func(*testing.T){home,
			edit("/etc/pam.d/sshd", "account", "session required pam_env.so user_readenv=1\naccount")}, []string{"home-shared"}},
		{"docker-group", "error", "", "gpasswd -d USER docker", []func(*testing.T){func(t *testing.T) {
			u.Join(t, "docker")
			t.Cleanup(func() { e2e.OnHost(t, "gpasswd", "-d", u.Name, "docker") })
		}}, nil},
		{"engine-socket", "error", "", "chmod 660 /run/docker.sock", []func(*testing.T){mode("/run/docker.sock", 0o666)}, nil},
		{"engine-socket", "error", "", "chmod 660 /run/docker.sock", []func(*testing.T){func(t *testing.T) {
			const acl = "system.posix_acl_access"
			if err := syscall.Setxattr("/run/docker.sock", acl, aclFor(u.UID), 0); err != nil {
				t.Skipf("the file system of /run has no access control lists: %v", err)
			}
			t.Cleanup(func() {
				e2e.OnHost(t, "chmod", "660", "/run/docker.sock")
				_ = syscall.Removexattr("/run/docker.sock", acl)
			})
		}}, nil},
		{"engine-socket", "error", "", "chown root:docker /run/docker.sock", []func(*testing.T){func(t *testing.T) {
			u.Join(t, "dshengine")
			e2e.OnHost(t, "chgrp", "dshengine", "/run/docker.sock")
			t.Cleanup(func() {
				e2e.OnHost(t, "chgrp", "root", "/run/docker.sock")
				e2e.OnHost(t, "gpasswd", "-d", u.Name, "dshengine")
			})
		}}, nil},
		{"program-owner", "error", "", "chmod go-w " + e2e.Prefix + "/libexec/dockersh/dockersh-init", []func(*testing.T){mode(e2e.Prefix+"/libexec/dockersh/dockersh-init", 0o777)}, nil},
		{"program-owner", "error", "", "chmod go-w " + e2e.Prefix, []func(*testing.T){mode(e2e.Prefix, 0o777)}, nil},
		{"program-setuid", "error", "", "chmod u-s " + e2e.Front, []func(*testing.T){mode(e2e.Front, 0o755|os.ModeSetuid)}, nil},
		{"program-missing", "error", "", "make install", []func(*testing.T){func(t *testing.T) {
			bridge := e2e.Prefix + "/libexec/dockersh-bridge"
			t.Cleanup(func() { e2e.OnHost(t, "mv", bridge+".away", bridge) })
			e2e.OnHost(t, "mv", bridge, bridge+".away")
		}}, nil},
		{"no-door", "error", "", "systemctl enable --now dockershd.socket", []func(*testing.T){func(t *testing.T) {
			e2e.Broker.Stop()
			t.Cleanup(func() {
				if err := e2e.Broker.Start(); err != nil {
					t.Error(err)
				}
			})
		}}, nil},
		{"etc-shells", "warning", "/etc/shells", e2e.Front, []func(*testing.T){edit("/etc/shells", e2e.Front, "")}, nil},
		{"settings-file", "error", "", "dockershctl check", []func(*testing.T){mode(e2e.Settings, 0o666)}, nil},
		{"pids-limit", "warning", e2e.Settings, "pidslimit = 1024", []func(*testing.T){with("pidslimit = 0")}, nil},
		{"log-driver", "warning", e2e.Settings, "dockeropt = --log-opt max-size=10m", []func(*testing.T){with("entrypoint = /bin/sleep", "cmd = 1000", "dockeropt = --log-driver=json-file")}, nil},
		{"recordings", "error", e2e.Settings, "record = /var/lib/dockersh/%u/%x.cast", []func(*testing.T){with("record = %h/%x.cast")}, nil},
		{"recordings", "error", "", "df /srv/recordings", []func(*testing.T){with("record = /srv/recordings/%u/%x.cast"), func(t *testing.T) { fullDisk(t, "/srv/recordings") }}, nil},
		{"recordings", "error", "/etc/systemd/system/dockershd.service.d/recordings.conf", "ReadWritePaths=/srv", []func(*testing.T){with("record = /srv/recordings/%u/%x.cast"),
			func(t *testing.T) { serviceReadsOnly(t, "/srv") }}, nil},
		{"recordings-unmounted", "warning", "", "mount /srv/recordings", []func(*testing.T){with("record = /srv/recordings/%u/%x.cast"), func(t *testing.T) {
			e2e.RestoreFile(t, "/etc/fstab")
			e2e.WriteFile(t, "/etc/fstab", "/dev/sdz9 /srv/recordings ext4 defaults 0 2\n")
		}}, nil},
		{"engine-open", "error", "", "systemctl cat docker.service | grep tcp://", []func(*testing.T){openEngine, with("dockersocket = " + openSocket)}, nil},
		{"host-given-away", "error", e2e.Settings, "mountdockersocket = false", []func(*testing.T){with("mountdockersocket")}, nil},
		{"user-namespaces", "warning", "", "", []func(*testing.T){with("containerusername = root")}, nil},
		{"engine-down", "error", "", "grep -n dockersocket " + e2e.Settings, []func(*testing.T){with("dockersocket = /run/nothing.sock")}, nil},
	} {
		t.Run(c.id, func(t *testing.T) {
			for _, spoil := range c.spoil {
				spoil(t)
			}
			found, _, status := runDoctor(t, u, accepted, "--no-login")
			f := find(found, c.id)
			if f == nil {
				t.Fatalf("not found; found %v", ids(found))
			}
			if f.Severity != c.severity || !strings.HasPrefix(f.File, c.file) || c.line != "" && !strings.Contains(strings.Join(f.Lines, "\n"), c.line) || f.Why == "" {
				t.Errorf("%+v", *f)
			}
			want := append([]string{c.id}, c.besides...)
			got := ids(found)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("found %v, want %v", got, want)
			}
			errors := slices.ContainsFunc(found, func(f finding) bool { return f.Severity == "error" })
			if errors != (status == 1) || status > 1 {
				t.Errorf("status %d with %+v", status, found)
			}
		})
	}
	if found, _, _ := runDoctor(t, u, accepted, "--no-login"); len(found) != 0 {
		t.Errorf("afterwards: %+v", found)
	}
}
