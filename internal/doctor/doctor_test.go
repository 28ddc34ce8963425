package doctor

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dockersh/internal/account"
	"dockersh/internal/config"
	"dockersh/internal/engine"
)

const front = "/usr/local/bin/dockersh"

const goodSettings = `[dockersh]
	mounthome
	mounthomefrom = /srv/homes/%u
	dockeropt = --storage-opt size=10G
`

const goodSSHD = `port 22
disableforwarding yes
allowtcpforwarding no
allowstreamlocalforwarding no
permitopen any
permitlisten any
gatewayports no
permittunnel no
x11forwarding no
permituserenvironment no
permituserrc no
acceptenv LANG LC_*
subsystem sftp /usr/lib/openssh/sftp-server
forcecommand /usr/local/bin/dockersh
`

// good is a host with nothing wrong, and two users.
func good(t *testing.T) *Host {
	h := &Host{
		Front: front, Helpers: "/usr/local/libexec/dockersh", Settings: "/etc/dockershrc", Served: true,
		Programs: []File{
			{Path: "/usr/local/bin", Mode: unix.S_IFDIR | 0o755}, {Path: front, Mode: unix.S_IFREG | 0o755},
			{Path: "/usr/local/sbin/dockershd", Mode: unix.S_IFREG | 0o755}, {Path: "/usr/local", Mode: unix.S_IFLNK | 0o777},
		},
		Shells: []string{"/bin/sh", front},
		SSHD:   "/usr/sbin/sshd", SSHDFile: "/etc/ssh/sshd_config.d/dockersh.conf", SFTPServer: "/usr/lib/openssh/sftp-server",
		Mounts: []Mount{{On: "/", Options: []string{"rw"}}, {On: "/srv", Options: []string{"rw", "nosuid", "usrquota"}}},
		Engines: []*Engine{{Socket: "/var/run/docker.sock", About: engine.About{
			Version: "28.2.2", Runc: "1.3.3", Security: []string{"name=seccomp,profile=builtin", "name=cgroupns"},
		}}},
	}
	for i, name := range []string{"alice", "bob"} {
		u := &User{User: account.User{Name: name, UID: uint32(1000 + i), Home: "/home/" + name, Shell: front}, RealHome: "/home/" + name, Groups: []string{name}}
		u.settle(t, goodSettings)
		u.SSHD = ParseOptions(goodSSHD)
		h.Users = append(h.Users, u)
	}
	return h
}

// settle gives the user these settings.
func (u *User) settle(t *testing.T, text string) {
	t.Helper()
	f, err := config.Parse("/etc/dockershrc", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Effective(u.Name, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if u.Settings, err = s.Expand(config.Vars{User: u.Name, Home: u.Home, Shell: u.Shell, UID: u.UID, GID: u.GID}); err != nil {
		t.Fatal(err)
	}
	u.Sources = sources(u.Settings)
	for i := range u.Sources {
		u.Sources[i].Real = u.Sources[i].Path
	}
}

func (u *User) option(line string) {
	for name, values := range ParseOptions(line) {
		u.SSHD[name] = values
	}
}

func TestAGoodHostHasNoFindings(t *testing.T) {
	if found := Judge(good(t)); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

// spoiled holds one way to spoil a good host for each finding, or more.
var spoiled = []struct {
	name  string
	spoil func(t *testing.T, h *Host)
	id    string
	line  string // of what is to be written or run
}{
	{"the settings are wrong", func(_ *testing.T, h *Host) { h.SettingsErr = "/etc/dockershrc:2:1: no" }, "settings-file", "dockershctl check"},
	{"a program is missing", func(_ *testing.T, h *Host) { h.Programs[2].Missing = true }, "program-missing", "make install"},
	{"a program is another's", func(_ *testing.T, h *Host) { h.Programs[1].UID = 7 }, "program-owner", "chown root:root " + front},
	{"others write a program", func(_ *testing.T, h *Host) { h.Programs[1].Mode |= 0o002 }, "program-owner", "chmod go-w " + front},
	{"others write the directory", func(_ *testing.T, h *Host) { h.Programs[0].Mode |= 0o020 }, "program-owner", "chmod go-w /usr/local/bin"},
	{"both doors", func(_ *testing.T, h *Host) { h.Programs[1].Mode |= unix.S_ISUID }, "program-setuid", "chmod u-s " + front},
	{"setuid on nosuid", func(_ *testing.T, h *Host) {
		h.Programs[1].Mode |= unix.S_ISUID
		h.Served, h.NoSuid = false, true
	}, "program-setuid", "systemctl enable --now dockershd.socket"},
	{"setuid, and the kernel dumps such programs", func(_ *testing.T, h *Host) {
		h.Programs[1].Mode |= unix.S_ISUID
		h.Served, h.Dumpable = false, true
	}, "program-setuid", "sysctl -w fs.suid_dumpable=0"},
	{"a setuid broker", func(_ *testing.T, h *Host) { h.Programs[2].Mode |= unix.S_ISUID }, "program-setuid", "chmod ug-s /usr/local/sbin/dockershd"},
	{"no door", func(_ *testing.T, h *Host) { h.Served = false }, "no-door", "systemctl enable --now dockershd.socket"},
	{"no shell of the host", func(_ *testing.T, h *Host) { h.Shells = nil }, "etc-shells", front},
	{"nobody", func(_ *testing.T, h *Host) { h.Users = nil }, "no-users", "dockershctl doctor USER"},
	{"nothing leads there", func(_ *testing.T, h *Host) {
		h.Users[0].Shell = "/bin/bash"
		h.Users[0].option("forcecommand none")
	}, "shell-of-the-host", "chsh -s " + front + " USER"},
	{"bash runs the forced command", func(_ *testing.T, h *Host) { h.Users[0].Shell = "/bin/bash" }, "shell-reads-home", "chsh -s " + front + " USER"},
	{"the settings do not fit", func(_ *testing.T, h *Host) {
		h.Users[0].Settings, h.Users[0].Sources, h.Users[0].SettingsErr = nil, nil, "no home"
	}, "user-settings", "dockershctl explain USER"},
	{"no sshd", func(_ *testing.T, h *Host) { h.SSHD = "" }, "sshd-unknown", ""},
	{"a broken sshd", func(_ *testing.T, h *Host) { h.SSHDErr = "line 3: no" }, "sshd-unknown", "/usr/sbin/sshd -t"},
	{"a name that sshd cannot be told", func(_ *testing.T, h *Host) { h.Users[0].SSHD, h.Users[0].SSHDErr = nil, "no" }, "sshd-refuses", ""},
	{"unix sockets", func(_ *testing.T, h *Host) {
		h.Users[0].option("disableforwarding no\nallowstreamlocalforwarding local")
	}, "sshd-sockets", "DisableForwarding yes"},
	{"TCP", func(_ *testing.T, h *Host) { h.Users[0].option("disableforwarding no\nallowtcpforwarding local") }, "sshd-tcp", "AllowTcpForwarding no"},
	{"TCP to a port of any host", func(_ *testing.T, h *Host) {
		h.Users[0].option("disableforwarding no\nallowtcpforwarding local\npermitopen 192.0.2.7:5432 *:80")
	}, "sshd-tcp", "AllowTcpForwarding no"},
	{"TCP to any port of the host", func(_ *testing.T, h *Host) {
		h.Users[0].option("disableforwarding no\nallowtcpforwarding yes\npermitopen localhost:*\npermitlisten none")
	}, "sshd-tcp", "AllowTcpForwarding no"},
	{"TCP from any port of the host", func(_ *testing.T, h *Host) {
		h.Users[0].option("disableforwarding no\nallowtcpforwarding remote\npermitlisten *:*")
	}, "sshd-tcp", "AllowTcpForwarding no"},
	{"TCP, without a DisableForwarding", func(_ *testing.T, h *Host) {
		delete(h.Users[0].SSHD, "disableforwarding")
		h.Users[0].option("allowtcpforwarding remote")
	}, "sshd-tcp", "AllowTcpForwarding no"},
	{"a tunnel, whatever DisableForwarding says", func(_ *testing.T, h *Host) { h.Users[0].option("permittunnel point-to-point") }, "sshd-tunnel", "PermitTunnel no"},
	{"X11, whatever DisableForwarding says", func(_ *testing.T, h *Host) { h.Users[0].option("x11forwarding yes") }, "sshd-x11", "X11Forwarding no"},
	{"internal-sftp", func(_ *testing.T, h *Host) {
		h.Users[0].option("subsystem sftp internal-sftp -f AUTH\nforcecommand none")
	}, "sshd-internal-sftp", "Subsystem sftp /usr/lib/openssh/sftp-server"},
	{"internal-sftp as the forced command", func(_ *testing.T, h *Host) { h.Users[0].option("forcecommand internal-sftp -R") }, "sshd-internal-sftp", "ForceCommand " + front},
	{"the user's environment", func(_ *testing.T, h *Host) { h.Users[0].option("permituserenvironment yes") }, "sshd-user-environment", "PermitUserEnvironment no"},
	{"some of it", func(_ *testing.T, h *Host) { h.Users[0].option("permituserenvironment LANG,LD_*") }, "sshd-user-environment", "PermitUserEnvironment no"},
	{"rc", func(_ *testing.T, h *Host) { h.Users[0].option("permituserrc yes") }, "sshd-user-rc", "PermitUserRC no"},
	{"variables that load code", func(_ *testing.T, h *Host) { h.Users[0].option("acceptenv LANG *_PRELOAD") }, "sshd-accept-env", "AcceptEnv LANG"},
	{"variables that say who is there", func(_ *testing.T, h *Host) { h.Users[0].option("acceptenv SSH_USER_????") }, "sshd-accept-env", "AcceptEnv LANG LC_*"},
	{"sshd says who is there", func(_ *testing.T, h *Host) { h.Users[0].option("setenv A=1 SSH_CLIENT=1.2.3.4") }, "sshd-set-env", ""},
	{"docker group", func(_ *testing.T, h *Host) { h.Users[0].Groups = append(h.Users[0].Groups, "docker") }, "docker-group", "gpasswd -d USER docker"},
	{"an open socket", func(_ *testing.T, h *Host) { h.Users[0].Sockets = []string{"/run/docker.sock"} }, "engine-socket", "chmod 660 /run/docker.sock"},
	{"the home itself", func(t *testing.T, h *Host) {
		h.Users[0].settle(t, "[dockersh]\nmounthome\ndockeropt = --storage-opt size=1G\n")
		h.Mounts = nil
	}, "home-shared", "mounthomefrom = /srv/homes/%u"},
	{"the home by way of a link", func(_ *testing.T, h *Host) { h.Users[0].Sources[0].Real, h.Mounts = "/home/alice", nil }, "home-shared", "mounthomefrom = /srv/homes/%u"},
	{"the home in a volume", func(t *testing.T, h *Host) { h.Users[0].settle(t, goodSettings+"volume = /home:/people\n") }, "home-shared", ""},
	{"the home in an option", func(t *testing.T, h *Host) {
		h.Users[0].settle(t, goodSettings+"dockeropt = --mount type=bind,src=/home,dst=/people\n")
	}, "home-shared", ""},
	{"the engine's socket inside", func(t *testing.T, h *Host) { h.Users[0].settle(t, goodSettings+"mountdockersocket\n") }, "host-given-away", "mountdockersocket = false"},
	{"a gate that opens the host", func(t *testing.T, h *Host) {
		h.Users[0].settle(t, goodSettings+"enableuserconfig\nenableuserdockeropt\n")
	}, "host-given-away", "enableuserdockeropt = false"},
	{"a log without an end", func(t *testing.T, h *Host) {
		h.Users[0].settle(t, goodSettings+"entrypoint = /sbin/init\ndockeropt = --log-driver=json-file\n")
	}, "log-driver", "dockeropt = --log-opt max-size=10m"},
	{"Podman's log without an end", func(t *testing.T, h *Host) {
		h.Users[0].settle(t, goodSettings+"entrypoint = /sbin/init\ndockeropt = --log-driver k8s-file\n")
	}, "log-driver", "dockeropt = --log-opt max-size=10m"},
	{"no limit of processes", func(t *testing.T, h *Host) { h.Users[0].settle(t, goodSettings+"pidslimit = 0\n") }, "pids-limit", "pidslimit = 1024"},
	{"no limit of the disk", func(t *testing.T, h *Host) { h.Users[0].settle(t, "[dockersh]\n") }, "disk-limit", "dockeropt = --storage-opt size=10G"},
	{"homes without quota", func(_ *testing.T, h *Host) { h.Mounts[1].Options = []string{"rw", "noquota"} }, "home-quota", "/srv ... usrquota"},
	{"recordings where others can write", func(_ *testing.T, h *Host) {
		h.Users[0].Recording = &Recording{Dir: "/tmp/r", Err: "/tmp can be changed by others than root"}
	}, "recordings", "record = /var/lib/dockersh/%u/%x.cast"},
	{"recordings on a disk that is full", func(_ *testing.T, h *Host) {
		h.Users[0].Recording = &Recording{Dir: "/srv/r/alice", At: "/srv/r", Full: true}
	}, "recordings", "df /srv/r"},
	{"recordings on a disk that is read-only", func(_ *testing.T, h *Host) {
		h.Mounts = append(h.Mounts, Mount{On: "/srv/r", Options: []string{"ro"}})
		h.Users[0].Recording = &Recording{Dir: "/srv/r", At: "/srv/r"}
	}, "recordings", ""},
	{"recordings where the service may not write", func(_ *testing.T, h *Host) {
		h.ServiceMounts = []Mount{{On: "/", Options: []string{"ro"}}, {On: "/var/log/dockersh", Options: []string{"rw"}}}
		h.Users[0].Recording = &Recording{Dir: "/srv/r/alice", At: "/srv/r"}
	}, "recordings", "[Service]\nReadWritePaths=/srv/r"},
	{"recordings below a disk that is not there", func(_ *testing.T, h *Host) {
		h.Users[0].Recording = &Recording{Dir: "/srv/r/alice", At: "/srv/r", Missing: "/srv/r"}
	}, "recordings-unmounted", "mount /srv/r"},
	{"no engine", func(_ *testing.T, h *Host) { h.Engines[0].Err = "no answer" }, "engine-down", "systemctl enable --now docker"},
	{"an engine on TCP", func(_ *testing.T, h *Host) {
		h.Engines[0].Warnings = []string{"WARNING: No swap limit support", "WARNING: API is accessible on http://127.0.0.1:2375 without encryption.\n         Access"}
	}, "engine-open", `"hosts": ["unix:///run/docker.sock"]`},
	{"a key that sshd does not tell", func(_ *testing.T, h *Host) { h.Users[0].ByKey = "record" }, "sshd-auth-info", "ExposeAuthInfo yes"},
	{"an old engine", func(_ *testing.T, h *Host) { h.Engines[0].Version = "19.03.15" }, "engine-version", ""},
	{"an old runc", func(_ *testing.T, h *Host) { h.Engines[0].Runc = "1.1.5+ds1" }, "runtime-version", ""},
	{"no filter", func(_ *testing.T, h *Host) { h.Engines[0].Security = []string{"name=seccomp,profile=unconfined"} }, "seccomp", ""},
	{"root inside", func(t *testing.T, h *Host) { h.Users[0].settle(t, goodSettings+"containerusername = 0:0\n") }, "user-namespaces", ""},
}

func TestEachFaultIsFoundAndNoOther(t *testing.T) {
	tried := map[string]bool{loginID: true} // tried end to end
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
	// Two that never come alone.
	for id, spoil := range map[string]func(h *Host){
		"sshd-gateway": func(h *Host) {
			h.Users[0].option("disableforwarding no\nallowtcpforwarding yes\ngatewayports clientspecified")
		},
		"pam-user-environment": func(h *Host) {
			h.EnvReaders = []Place{{File: "/etc/pam.d/sshd", Line: 47}}
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

// What a finding refers to is there.
func TestTheLedgerHasWhatFindingsReferTo(t *testing.T) {
	ledger, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, holes, _ := strings.Cut(string(ledger), "\n### Holes\n")
	holes, _, _ = strings.Cut(holes, "\n### ")
	for _, c := range table() {
		n, ok := strings.CutPrefix(c.why, "SECURITY.md, holes, ")
		if ok && !strings.Contains(holes, "\n"+n+". ") {
			t.Errorf("%s: there is no hole %s in SECURITY.md", c.id, n)
		}
		if ok && !strings.Contains(holes, "`"+c.id+"`") {
			t.Errorf("%s: SECURITY.md does not name it", c.id)
		}
	}
}

func TestWhoeverCanComeOnlyBySSHDIsNotLoggedIn(t *testing.T) {
	h := good(t)
	if got := h.FirstUser(); got != "alice" {
		t.Errorf("%q", got)
	}
	h.Users[0].ByAddress = "containername"
	if got := h.FirstUser(); got != "bob" {
		t.Errorf("%q", got)
	}
	h.Users[1].ByKey = "containername"
	if got := h.FirstUser(); got != "" {
		t.Errorf("%q", got)
	}
}

func TestTheSameForManyUsersIsOneFinding(t *testing.T) {
	h := good(t)
	for _, u := range h.Users {
		u.option("disableforwarding no\nallowtcpforwarding yes")
	}
	found := Judge(h)
	if len(found) != 1 || !slices.Equal(found[0].Users, []string{"alice", "bob"}) {
		t.Errorf("%+v", found)
	}
}

func TestABashrcThatTheContainerWritesIsAnError(t *testing.T) {
	h := good(t)
	h.Users[0].Shell = "/bin/bash"
	if f := Judge(h); len(f) != 1 || f[0].Severity != Warning {
		t.Errorf("%+v", f)
	}
	h.Users[0].Sources[0].Real = "/home/alice"
	found := Judge(h)
	if !slices.ContainsFunc(found, func(f Finding) bool { return f.ID == "shell-reads-home" && f.Severity == Error }) {
		t.Errorf("%+v", found)
	}
	if found[0].Severity != Error {
		t.Errorf("errors do not come first: %+v", found)
	}
}

func TestRCIsAnErrorOnlyWhereAShellOfTheHostRunsIt(t *testing.T) {
	for shell, want := range map[string]Severity{front: Warning, "/bin/bash": Error} {
		h := good(t)
		h.Users[0].Shell = shell
		h.Users[0].option("permituserrc yes")
		found := Judge(h)
		if i := slices.IndexFunc(found, func(f Finding) bool { return f.ID == "sshd-user-rc" }); i < 0 || found[i].Severity != want {
			t.Errorf("%s: %+v", shell, found)
		}
	}
}

func TestAMountThatCannotBeWrittenIsNoFinding(t *testing.T) {
	for _, line := range []string{
		"volume = /home:/people:ro", "volume = /srv/data:/data", "volume = cache:/home/alice", "dockeropt = -v /home:/people:ro,z",
		"dockeropt = --volume=/home/alicexx:/a", "volume = /home/al:/a", "dockeropt = --mount type=bind,src=/home,dst=/people,readonly",
	} {
		h := good(t)
		h.Users[0].settle(t, goodSettings+line+"\n")
		if found := Judge(h); len(found) != 0 {
			t.Errorf("%s: %+v", line, found)
		}
	}
}

func TestForwardingThatIsListedOneByOneIsTheAdministratorsWord(t *testing.T) {
	h := good(t)
	h.Users[0].option("disableforwarding no\nallowtcpforwarding yes\npermitopen 192.0.2.7:5432 localhost:80\npermitlisten *:8080")
	if found := Judge(h); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

func TestDisableForwardingAloneIsEnough(t *testing.T) {
	h := good(t)
	h.Users[0].option("allowtcpforwarding yes\nallowstreamlocalforwarding yes\ngatewayports yes")
	if found := Judge(h); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

// One that is made at the first login, where root and the service may.
func TestAPlaceForRecordingsThatIsGoodIsNoFinding(t *testing.T) {
	h := good(t)
	h.ServiceMounts = []Mount{{On: "/", Options: []string{"ro"}}, {On: "/var/log/dockersh", Options: []string{"rw"}}}
	h.Users[0].Recording = &Recording{Dir: "/var/log/dockersh/alice", At: "/var/log/dockersh"}
	if found := Judge(h); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

func TestAFileSystemThatIsNotMountedIsKnownByFstab(t *testing.T) {
	fstab := parseMounts("# /dev/sdz /srv ext4 defaults 0 2\n/dev/sda / ext4 defaults 0 1\nUUID=1 /srv/my\\040rec xfs noatime 0 2\n/dev/sdb none swap sw 0 0\n")
	mounts := parseMounts("/dev/sda / ext4 rw 0 0\n")
	for path, want := range map[string]string{"/srv/my rec/alice": "/srv/my rec", "/srv/my rec": "/srv/my rec", "/srv/my records": "", "/srv/x": "", "/none": ""} {
		if got := unmounted(fstab, mounts, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if got := unmounted(fstab, append(mounts, Mount{On: "/srv/my rec"}), "/srv/my rec/alice"); got != "" {
		t.Errorf("it is mounted: %q", got)
	}
}

func TestVersionsAreComparedAsNumbers(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"1.1.5+ds1", "1.1.12", true}, {"1.1.12", "1.1.12", false}, {"1.1.12-0ubuntu2", "1.1.12", false}, {"1.4.0-rc.2", "1.4.0-rc.3", true},
		{"1.4.0-rc.2+dev3", "1.4.0-rc.3", true}, {"1.4.0", "1.4.0-rc.3", false}, {"1.0.0~rc93+ds1", "1.0.0-rc7", false}, {"v19.03.15", "20.10", true},
		{"28.2.2", "20.10", false}, {"20.10", "20.10.0", false}, {"library-import", "20.10", false}, {"", "1", false}, {"1.0.0-rc6", "1.0.0-rc7", true},
	} {
		if got := older(c.a, c.b); got != c.want {
			t.Errorf("older(%q, %q) = %v", c.a, c.b, got)
		}
	}
	for version, want := range map[string]int{"1.0.0-rc6": 3, "1.1.11": 2, "1.1.12": 1, "1.2.8": 0, "1.3.2": 1, "1.3.3": 0, "1.4.0-rc.2": 1, "1.4.0-rc.3": 0} {
		e := &Engine{About: engine.About{Runc: version}}
		got := 0
		if f := runtimeVersion(nil, e); f != nil {
			got = strings.Count(f.text, "CVE-20")
			got -= 2 * strings.Count(f.text, "CVE-2025-31133") // three of one day
		}
		if got != want {
			t.Errorf("runc %s: %d ways out, want %d", version, got, want)
		}
	}
}

func TestPodmanHasVersionsOfItsOwn(t *testing.T) {
	h := good(t)
	h.Engines[0].Podman, h.Engines[0].Version = true, "4.3.1"
	if found := Judge(h); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	h.Engines[0].Version = "3.4.4"
	if found := Judge(h); len(found) != 1 || found[0].ID != "engine-version" {
		t.Errorf("%+v", found)
	}
}

func TestAPAMFileThatReadsTheHomeIsFoundByLine(t *testing.T) {
	text := "# pam_env.so user_readenv=1\nsession required pam_env.so\nsession required pam_env.so user_readenv=1 # yes\nsession required pam_env.so user_readenv=0\n"
	got := readers("/etc/pam.d/sshd", text)
	if len(got) != 1 || got[0].Line != 3 || got[0].File != "/etc/pam.d/sshd" {
		t.Errorf("%+v", got)
	}
}

func TestMountsAreReadAsTheyAreWritten(t *testing.T) {
	m := parseMounts("/dev/sdb1 /my\\040homes xfs rw,prjquota 0 0\n/dev/sda1 / ext4 rw 0 0\nshort\n")
	if len(m) != 2 || m[0].On != "/my homes" || mountOf(m, "/my homes/alice").On != "/my homes" || mountOf(m, "/my").On != "/" {
		t.Errorf("%+v", m)
	}
}
