package checks

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/host/account"
)

// spoiled has at least one way to spoil a good host for each finding.
var spoiled = []struct {
	name  string
	spoil func(t *testing.T, h *facts.Host)
	id    string
	line  string // part of what to write or run
}{
	{"the settings are wrong", func(_ *testing.T, h *facts.Host) { h.SettingsErr = "/etc/dockershrc:2:1: no" }, "settings-file", "dockershctl check"},
	{"a program is missing", func(_ *testing.T, h *facts.Host) { h.Programs[2].Missing = true }, "program-missing", "make install"},
	{"a user owns a program", func(_ *testing.T, h *facts.Host) { h.Programs[1].UID = 7 }, "program-owner", "chown root:root " + front},
	{"others can write a program", func(_ *testing.T, h *facts.Host) { h.Programs[1].Mode |= 0o002 }, "program-owner", "chmod go-w " + front},
	{"others can write the directory", func(_ *testing.T, h *facts.Host) { h.Programs[0].Mode |= 0o020 }, "program-owner", "chmod go-w /usr/local/bin"},
	{"both doors", func(_ *testing.T, h *facts.Host) { h.Programs[1].Mode |= unix.S_ISUID }, "program-setuid", "chmod u-s " + front},
	{"setuid on nosuid", func(_ *testing.T, h *facts.Host) {
		h.Programs[1].Mode |= unix.S_ISUID
		h.Served, h.NoSuid = false, true
	}, "program-setuid", "systemctl enable --now dockershd.socket"},
	{"setuid, and the kernel dumps such programs", func(_ *testing.T, h *facts.Host) {
		h.Programs[1].Mode |= unix.S_ISUID
		h.Served, h.Dumpable = false, true
	}, "program-setuid", "sysctl -w fs.suid_dumpable=0"},
	{"the broker is setuid", func(_ *testing.T, h *facts.Host) { h.Programs[2].Mode |= unix.S_ISUID }, "program-setuid", "chmod ug-s /usr/local/sbin/dockershd"},
	{"no door", func(_ *testing.T, h *facts.Host) { h.Served = false }, "no-door", "systemctl enable --now dockershd.socket"},
	{"not listed in /etc/shells", func(_ *testing.T, h *facts.Host) { h.Shells = nil }, "etc-shells", front},
	{"an inventory on a full disk", func(_ *testing.T, h *facts.Host) {
		h.Inventory = facts.Room{At: "/var/lib/dockersh", Full: true}
	}, "inventory", "df -i /var/lib/dockersh"},
	{"an inventory that is only read", func(_ *testing.T, h *facts.Host) {
		h.Inventory.At = "/var/lib/dockersh"
		h.Mounts = append(h.Mounts, facts.Mount{On: "/var/lib/dockersh", Options: []string{"ro"}})
	}, "inventory", "findmnt --target /var/lib/dockersh"},
	{"an inventory that the service may not write", func(_ *testing.T, h *facts.Host) {
		h.Inventory.At = "/var/lib/dockersh"
		h.ServiceMounts = []facts.Mount{{On: "/", Options: []string{"ro"}}}
	}, "inventory", "[Service]\nReadWritePaths=/var/lib/dockersh"},
	{"no users", func(_ *testing.T, h *facts.Host) { h.Users = nil }, "no-users", "dockershctl doctor USER"},
	{"nothing leads a user to dockersh", func(_ *testing.T, h *facts.Host) {
		h.Users[0].Shell = "/bin/bash"
		setOption(h.Users[0], "forcecommand none")
	}, "shell-of-the-host", "chsh -s " + front + " USER"},
	{"bash runs the forced command", func(_ *testing.T, h *facts.Host) { h.Users[0].Shell = "/bin/bash" }, "shell-reads-home", "chsh -s " + front + " USER"},
	{"nologin runs the forced command", func(_ *testing.T, h *facts.Host) { h.Users[0].Shell = "/usr/sbin/nologin" }, "shell-runs-nothing", "chsh -s " + front + " USER"},
	{"the settings do not fit", func(_ *testing.T, h *facts.Host) {
		h.Users[0].Settings, h.Users[0].Sources, h.Users[0].SettingsErr = nil, nil, "no home"
	}, "user-settings", "dockershctl explain USER"},
	{"a directory that is not in use", func(_ *testing.T, h *facts.Host) {
		h.Silent = []account.SilentService{{Name: "sss", Line: "group: files systemd"}}
	}, "name-service", "group: files systemd"},
	{"a directory that is down", func(_ *testing.T, h *facts.Host) {
		h.Silent = []account.SilentService{{Name: "sss", Answered: true, Line: "group: files systemd"}}
	}, "name-service", "group: files systemd"},
	{"no sshd", func(_ *testing.T, h *facts.Host) { h.SSHD = "" }, "sshd-unknown", ""},
	{"a broken sshd", func(_ *testing.T, h *facts.Host) { h.SSHDErr = "line 3: no" }, "sshd-unknown", "/usr/sbin/sshd -t"},
	{"a name that sshd does not take", func(_ *testing.T, h *facts.Host) { h.Users[0].SSHD, h.Users[0].SSHDErr = nil, "no" }, "sshd-refuses", ""},
	{"unix sockets", func(_ *testing.T, h *facts.Host) {
		setOption(h.Users[0], "disableforwarding no\nallowstreamlocalforwarding local")
	}, "sshd-sockets", "AllowStreamLocalForwarding no"},
	{"TCP", func(_ *testing.T, h *facts.Host) {
		setOption(h.Users[0], "disableforwarding no\nallowtcpforwarding local")
	}, "sshd-tcp", "AllowTcpForwarding no"},
	{"TCP to a port of any host", func(_ *testing.T, h *facts.Host) {
		setOption(h.Users[0], "disableforwarding no\nallowtcpforwarding local\npermitopen 192.0.2.7:5432 *:80")
	}, "sshd-tcp", "AllowTcpForwarding no"},
	{"TCP to any port of the host", func(_ *testing.T, h *facts.Host) {
		setOption(h.Users[0], "disableforwarding no\nallowtcpforwarding yes\npermitopen localhost:*\npermitlisten none")
	}, "sshd-tcp", "AllowTcpForwarding no"},
	{"TCP from any port of the host", func(_ *testing.T, h *facts.Host) {
		setOption(h.Users[0], "disableforwarding no\nallowtcpforwarding remote\npermitlisten *:*")
	}, "sshd-tcp", "AllowTcpForwarding no"},
	{"TCP, without a DisableForwarding", func(_ *testing.T, h *facts.Host) {
		delete(h.Users[0].SSHD, "disableforwarding")
		setOption(h.Users[0], "allowtcpforwarding remote")
	}, "sshd-tcp", "AllowTcpForwarding no"},
	{"a tunnel in spite of DisableForwarding", func(_ *testing.T, h *facts.Host) { setOption(h.Users[0], "permittunnel point-to-point") }, "sshd-tunnel", "PermitTunnel no"},
	{"X11 in spite of DisableForwarding", func(_ *testing.T, h *facts.Host) { setOption(h.Users[0], "x11forwarding yes") }, "sshd-x11", "X11Forwarding no"},
	{"internal-sftp", func(_ *testing.T, h *facts.Host) {
		setOption(h.Users[0], "subsystem sftp internal-sftp -f AUTH\nforcecommand none")
	}, "sshd-internal-sftp", "Subsystem sftp /usr/lib/openssh/sftp-server"},
	{"internal-sftp as the forced command", func(_ *testing.T, h *facts.Host) { setOption(h.Users[0], "forcecommand internal-sftp -R") }, "sshd-internal-sftp", "ForceCommand " + front},
	{"PermitUserEnvironment", func(_ *testing.T, h *facts.Host) { setOption(h.Users[0], "permituserenvironment yes") }, "sshd-user-environment", "PermitUserEnvironment no"},
	{"PermitUserEnvironment with a pattern", func(_ *testing.T, h *facts.Host) { setOption(h.Users[0], "permituserenvironment LANG,LD_*") }, "sshd-user-environment", "PermitUserEnvironment no"},
	{"rc", func(_ *testing.T, h *facts.Host) { setOption(h.Users[0], "permituserrc yes") }, "sshd-user-rc", "PermitUserRC no"},
	{"variables that load code", func(_ *testing.T, h *facts.Host) { setOption(h.Users[0], "acceptenv LANG *_PRELOAD") }, "sshd-accept-env", "AcceptEnv LANG"},
	{"variables that name the client", func(_ *testing.T, h *facts.Host) { setOption(h.Users[0], "acceptenv SSH_USER_????") }, "sshd-accept-env", "AcceptEnv LANG LC_*"},
	{"SetEnv that names the client", func(_ *testing.T, h *facts.Host) { setOption(h.Users[0], "setenv A=1 SSH_CLIENT=1.2.3.4") }, "sshd-set-env", ""},
	{"a PAM module that is missing", func(_ *testing.T, h *facts.Host) {
		withModule(h)
		h.PAM[0].Missing = "pam_dockersh.so"
	}, "pam-module", "make install"},
	{"a PAM module that may fail", func(_ *testing.T, h *facts.Host) {
		withModule(h)
		h.PAM[0].Sessions[3].Control = "[success=1 default=ignore]"
	}, "pam-control", "session required pam_dockersh.so open group=students"},
	{"a PAM module that may fail in another service", func(t *testing.T, h *facts.Host) {
		withModule(h)
		h.PAM = append(h.PAM, &facts.PAMService{Name: "others", Sessions: goodStack()[0].Sessions})
		h.PAM[1].Sessions[3].Control = "optional"
	}, "pam-control", "session required pam_dockersh.so open group=students"},
	{"a PAM module before others", func(_ *testing.T, h *facts.Host) {
		withModule(h)
		h.PAM[0].Sessions = append(h.PAM[0].Sessions, facts.PAMRule{Control: "required", Module: "pam_ldap.so"})
	}, "pam-order", "session required pam_dockersh.so open group=students"},
	{"a PAM module that goes back late", func(_ *testing.T, h *facts.Host) {
		withModule(h)
		h.PAM[0].Sessions[1], h.PAM[0].Sessions[2] = h.PAM[0].Sessions[2], h.PAM[0].Sessions[1]
	}, "pam-order", "session required pam_dockersh.so close"},
	{"a PAM module beside a name service that asks the network", func(_ *testing.T, h *facts.Host) {
		withModule(h)
		h.AskTheNetwork = []string{"nis"}
	}, "pam-names", "sss (sssd), or ldap with nslcd running, in place of nis"},
	{"a PAM module without a service", func(_ *testing.T, h *facts.Host) {
		withModule(h)
		h.Programs[1].Mode |= unix.S_ISUID
		h.Served = false
	}, "pam-service", "systemctl enable --now dockershd.socket"},
	{"a PAM module that sshd does not ask", func(_ *testing.T, h *facts.Host) {
		withModule(h)
		setOption(h.Users[0], "usepam no")
	}, "pam-off", "UsePAM yes"},
	{"names of clients in the user's network", func(_ *testing.T, h *facts.Host) {
		withModule(h)
		setOption(h.Users[0], "usedns yes")
	}, "sshd-use-dns", "UseDNS no"},
	{"a command= of a key beside a forced command", func(_ *testing.T, h *facts.Host) {
		h.Users[0].KeyCommands = []string{"/home/alice/.ssh/authorized_keys"}
	}, "key-command", "chsh"},
	{"a right that a cluster does not give", func(_ *testing.T, h *facts.Host) {
		h.Engines[0].RightsMissing = []string{"create pods/exec"}
	}, "cluster-rights", "kubectl apply -f kubernetes/dockersh.yaml"},
	{"a right in a cluster that is too many", func(_ *testing.T, h *facts.Host) {
		h.Engines[0].RightsExcess = []string{"get secrets"}
	}, "cluster-excess", "kubectl apply -f kubernetes/dockersh.yaml"},
	{"another SSH server", func(_ *testing.T, h *facts.Host) { h.OtherSSH = []string{"dropbear"} }, "other-ssh", ""},
	{"the group docker", func(_ *testing.T, h *facts.Host) { h.Users[0].Groups = append(h.Users[0].Groups, "docker") }, "docker-group", "gpasswd -d USER docker"},
	{"an open socket", func(_ *testing.T, h *facts.Host) { h.Users[0].Sockets = []string{"/run/docker.sock"} }, "engine-socket", "chown root:docker /run/docker.sock; chmod 660 /run/docker.sock"},
	{"an open socket of another engine", func(_ *testing.T, h *facts.Host) {
		h.Users[0].Sockets = []string{"/run/containerd/containerd.sock"}
	}, "engine-socket", "chown root:root /run/containerd/containerd.sock; chmod 600 /run/containerd/containerd.sock"},
	{"a home that does not answer", func(_ *testing.T, h *facts.Host) { h.Users[0].Unanswered = []string{"/home/alice"} }, "unanswered", "findmnt"},
	{"a home that is not there", func(_ *testing.T, h *facts.Host) {
		h.Users[0].Missing = []facts.Source{{Key: "mounthomefrom", Path: "/srv/homes/alice"}}
	}, "mount-missing", "makehome"},
	{"a volume that is not there", func(_ *testing.T, h *facts.Host) {
		h.Users[0].Missing = []facts.Source{{Key: "volume", Path: "/srv/data"}}
	}, "mount-missing", "mkdir /srv/data"},
	{"the home itself", func(t *testing.T, h *facts.Host) {
		settle(t, h.Users[0], "[dockersh]\nmounthome\ndockeropt = --storage-opt size=1G\n")
		h.Mounts = nil
	}, "home-shared", "mounthomefrom = /srv/homes/%u"},
	{"the home through a symbolic link", func(_ *testing.T, h *facts.Host) { h.Users[0].Sources[0].Real, h.Mounts = "/home/alice", nil }, "home-shared", "mounthomefrom = /srv/homes/%u"},
	{"the home in a volume", func(t *testing.T, h *facts.Host) { settle(t, h.Users[0], goodSettings+"volume = /home:/people\n") }, "home-shared", ""},
	{"the home in an option", func(t *testing.T, h *facts.Host) {
		settle(t, h.Users[0], goodSettings+"dockeropt = --mount type=bind,src=/home,dst=/people\n")
	}, "home-shared", ""},
	{"the engine's socket inside", func(t *testing.T, h *facts.Host) { settle(t, h.Users[0], goodSettings+"mountdockersocket\n") }, "host-given-away", "mountdockersocket = false"},
	{"a setting that lets the user have the host", func(t *testing.T, h *facts.Host) {
		settle(t, h.Users[0], goodSettings+"enableuserconfig\nenableuserdockeropt\n")
	}, "host-given-away", "enableuserdockeropt = false"},
	{"sudo, and a home where setuid programs count", func(t *testing.T, h *facts.Host) {
		settle(t, h.Users[0], goodSettings+"sudo\n")
		h.Mounts[1].Options = []string{"rw", "usrquota"}
	}, "root-inside", "/srv ... nosuid,nodev"},
	{"a name in the user's image", func(t *testing.T, h *facts.Host) {
		settle(t, h.Users[0], goodSettings+"enableuserconfig\nenableuserimagename\nallowimage = x\ncontainerusername = student\n")
	}, "container-user", "containerusername = %u"},
	{"another number in the user's image", func(t *testing.T, h *facts.Host) {
		settle(t, h.Users[0], goodSettings+"enableuserconfig\nenableuserimagename\nallowimage = x\ncontainerusername = 4321:100\n")
	}, "container-user", "containerusername = %u"},
	{"the user's own images", func(t *testing.T, h *facts.Host) {
		settle(t, h.Users[0], goodSettings+"enableuserconfig\nenableuserimagename\nenableuserusercwd\n")
	}, "open-gates", "enableuserimagename = false"},
	{"a log without a limit", func(t *testing.T, h *facts.Host) {
		settle(t, h.Users[0], goodSettings+"entrypoint = /sbin/init\ndockeropt = --log-driver=json-file\n")
	}, "log-driver", "dockeropt = --log-opt max-size=10m"},
	{"Podman's log without a limit", func(t *testing.T, h *facts.Host) {
		settle(t, h.Users[0], goodSettings+"entrypoint = /sbin/init\ndockeropt = --log-driver k8s-file\n")
	}, "log-driver", "dockeropt = --log-opt max-size=10m"},
	{"no limit of processes", func(t *testing.T, h *facts.Host) { settle(t, h.Users[0], goodSettings+"pidslimit = 0\n") }, "pids-limit", "pidslimit = 1024"},
	{"fewer processes on the host than inside", func(_ *testing.T, h *facts.Host) { h.Users[0].Limits.Processes = 1000 }, "host-limits", "USER - nproc 2048"},
	{"too little address space", func(_ *testing.T, h *facts.Host) { h.Users[0].Limits.AddressSpace = 1 << 30 }, "host-limits", "USER - as unlimited"},
	{"no limit of disk", func(t *testing.T, h *facts.Host) { settle(t, h.Users[0], "[dockersh]\n") }, "disk-limit", "dockeropt = --storage-opt size=10G"},
	{"homes without quotas", func(_ *testing.T, h *facts.Host) { h.Mounts[1].Options = []string{"rw", "noquota"} }, "home-quota", "/srv ... usrquota"},
	{"recordings where others can write", func(_ *testing.T, h *facts.Host) {
		h.Users[0].Recording = &facts.Recording{Dir: "/tmp/r", Err: "/tmp can be changed by others than root"}
	}, "recordings", "record = /var/lib/dockersh/%u/%x.cast"},
	{"recordings on a full disk", func(_ *testing.T, h *facts.Host) {
		h.Users[0].Recording = &facts.Recording{Dir: "/srv/r/alice", Room: facts.Room{At: "/srv/r", Full: true}}
	}, "recordings", "df /srv/r"},
	{"recordings on a read-only disk", func(_ *testing.T, h *facts.Host) {
		h.Mounts = append(h.Mounts, facts.Mount{On: "/srv/r", Options: []string{"ro"}})
		h.Users[0].Recording = &facts.Recording{Dir: "/srv/r", Room: facts.Room{At: "/srv/r"}}
	}, "recordings", ""},
	{"recordings where the service may not write", func(_ *testing.T, h *facts.Host) {
		h.ServiceMounts = []facts.Mount{{On: "/", Options: []string{"ro"}}, {On: "/var/log/dockersh", Options: []string{"rw"}}}
		h.Users[0].Recording = &facts.Recording{Dir: "/srv/r/alice", Room: facts.Room{At: "/srv/r"}}
	}, "recordings", "[Service]\nReadWritePaths=/srv/r"},
	{"recordings on a disk that is nearly full", func(_ *testing.T, h *facts.Host) {
		h.Users[0].Recording = &facts.Recording{Dir: "/srv/r/alice", Room: facts.Room{At: "/srv/r", Space: 95}}
	}, "recordings-space", "df /srv"},
	{"recordings on a disk that can have few more files", func(_ *testing.T, h *facts.Host) {
		h.Users[0].Recording = &facts.Recording{Dir: "/srv/r/alice", Room: facts.Room{At: "/srv/r", Space: 50, Files: 99}}
	}, "recordings-space", "df -i /srv"},
	{"a limit of recordings that the disk does not reach", func(t *testing.T, h *facts.Host) {
		settle(t, h.Users[0], goodSettings+"record = /srv/r/%u/%x.cast\nrecordmax = 20g\n")
		h.Users[0].Recording = &facts.Recording{Dir: "/srv/r/alice", Room: facts.Room{At: "/srv/r", Size: 20 << 30, Space: 50}}
	}, "recordings-space", "recordmax = 16384m"},
	{"recordings on a disk that is not mounted", func(_ *testing.T, h *facts.Host) {
		h.Users[0].Recording = &facts.Recording{Dir: "/srv/r/alice", Room: facts.Room{At: "/srv/r"}, Missing: "/srv/r"}
	}, "recordings-unmounted", "mount /srv/r"},
	{"no engine", func(_ *testing.T, h *facts.Host) { h.Engines[0].Err = "no answer" }, "engine-down", "systemctl enable --now docker"},
	{"no Podman", func(_ *testing.T, h *facts.Host) {
		h.Engines[0].Socket, h.Engines[0].Err = "/run/podman/podman.sock", "no answer"
	}, "engine-down", "systemctl enable --now podman.socket"},
	{"no engine of a user", func(_ *testing.T, h *facts.Host) {
		h.Engines[0].Socket, h.Engines[0].Err = "/run/user/1000/docker.sock", "no answer"
	}, "engine-down", "grep -n dockersocket /etc/dockershrc"},
	{"no remote engine", func(_ *testing.T, h *facts.Host) {
		h.Engines[0].Socket, h.Engines[0].Err = "tcp://192.0.2.7:2376", "no answer"
	}, "engine-down", "grep -n dockersocket /etc/dockershrc"},
	{"an engine on TCP", func(_ *testing.T, h *facts.Host) {
		h.Engines[0].OpenAddress = "http://127.0.0.1:2375"
	}, "engine-open", "systemctl cat docker.service | grep tcp://"},
	{"a key that sshd does not expose", func(_ *testing.T, h *facts.Host) { h.Users[0].ByKey = "record" }, "sshd-auth-info", "ExposeAuthInfo yes"},
	{"a rootless engine for a root service", func(_ *testing.T, h *facts.Host) { h.Engines[0].RootlessUID = 1000 }, "engine-rootless", "grep -n dockersocket"},
	{"containers of an installation that is gone", func(_ *testing.T, h *facts.Host) {
		h.Engines[0].Lost = []string{"/usr/libexec/dockersh"}
	}, "helpers-gone", "mkdir -p /usr/libexec && ln -sT /usr/local/libexec/dockersh /usr/libexec/dockersh"},
	{"a Podman whose containers AppArmor takes signals from", func(_ *testing.T, h *facts.Host) { underProfiles(h, "crun") },
		"apparmor-signals", "ln -s /etc/apparmor.d/crun /etc/apparmor.d/disable/"},
	{"one with a profile of its own", func(_ *testing.T, h *facts.Host) { underProfiles(h, "crun", "podman") }, "apparmor-signals", "runtime = \"runc\""},
	{"one with a profile of its own alone", func(_ *testing.T, h *facts.Host) { underProfiles(h, "podman") }, "apparmor-signals", "runtime = \"runc\""},
	{"an old engine", func(_ *testing.T, h *facts.Host) { h.Engines[0].Version = "19.03.15" }, "engine-version", ""},
	{"an old runc", func(_ *testing.T, h *facts.Host) { h.Engines[0].Runc = "1.1.5+ds1" }, "runtime-version", ""},
	{"a job that removes stopped containers", func(_ *testing.T, h *facts.Host) {
		h.Prunes = []facts.Location{{File: "/etc/cron.daily/prune", Line: 2, Text: "docker system prune -f"}}
	}, "prune-job", "--filter label!=dockersh.uid"},
	{"a container of an account that is gone", func(_ *testing.T, h *facts.Host) {
		h.Engines[0].Gone = []facts.Container{{Name: "old_dockersh", User: "old", UID: 1009}}
	}, "user-gone", "dockershctl rm old_dockersh"},
	{"containers that end with the engine", func(_ *testing.T, h *facts.Host) { h.Engines[0].LiveRestore = false }, "live-restore", `"live-restore": true`},
	{"no seccomp filter", func(_ *testing.T, h *facts.Host) { h.Engines[0].Seccomp = false }, "seccomp", ""},
	{"root inside", func(t *testing.T, h *facts.Host) { settle(t, h.Users[0], goodSettings+"containerusername = 0:0\n") }, "user-namespaces", ""},
}

func TestEachFaultIsFoundAndNoOther(t *testing.T) {
	tried := map[string]bool{}
	for _, c := range spoiled {
		t.Run(c.name, func(t *testing.T) {
			h := good(t)
			c.spoil(t, h)
			found := Judge(h)
			if len(found) != 1 || found[0].ID != c.id || !strings.Contains(strings.Join(found[0].Lines, "\n"), c.line) {
				t.Fatalf("want %s alone, with %q; got %+v", c.id, c.line, found)
			}
			if found[0].Why == "" || found[0].Text == "" {
				t.Errorf("%+v", found[0])
			}
		})
		tried[c.id] = true
	}
	// Two faults never come alone.
	for id, spoil := range map[string]func(h *facts.Host){
		"sshd-gateway": func(h *facts.Host) {
			setOption(h.Users[0], "disableforwarding no\nallowtcpforwarding yes\ngatewayports clientspecified")
		},
		"sshd-agent": func(h *facts.Host) {
			settle(t, h.Users[0], goodSettings+"volume = /home/alice:/outside\nforwardagent = false\n")
			setOption(h.Users[0], "disableforwarding no\nallowagentforwarding yes")
		},
		"pam-user-environment": func(h *facts.Host) {
			h.EnvReaders = []facts.Location{{File: "/etc/pam.d/sshd", Line: 47}}
			h.Users[0].Sources[0].Real = "/home"
		},
	} {
		h := good(t)
		spoil(h)
		if !slices.ContainsFunc(Judge(h), func(f Finding) bool { return f.ID == id && len(f.Lines) == 1 }) {
			t.Errorf("%s: %+v", id, Judge(h))
		}
		tried[id] = true
	}
	for _, id := range IDs() {
		if !tried[id] {
			t.Errorf("nothing tries %s", id)
		}
	}
}

// underProfiles makes the engine a Podman with crun that AppArmor has these profiles for.
func underProfiles(h *facts.Host, profiles ...string) {
	e := h.Engines[0]
	e.Name, e.Version, e.Oldest, e.Runc, e.Profiles = "Podman", "5.4.2", "4.3", "", profiles
}

func TestSignalsThatAppArmorDoesNotTake(t *testing.T) {
	for name, mend := range map[string]func(h *facts.Host){
		"runc": func(h *facts.Host) { h.Engines[0].Runc = "1.3.3" },
		"sudo": func(h *facts.Host) {
			for _, u := range h.Users {
				u.Settings.Sudo = true
			}
		},
	} {
		h := good(t)
		underProfiles(h, "crun", "podman")
		mend(h)
		if slices.ContainsFunc(Judge(h), func(f Finding) bool { return f.ID == "apparmor-signals" }) {
			t.Errorf("%s: %+v", name, Judge(h))
		}
	}
}
