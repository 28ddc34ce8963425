package checks

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/template"
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

// good returns a host with two users and no findings.
func good(t *testing.T) *facts.Host {
	h := &facts.Host{
		Front: front, Helpers: "/usr/local/libexec/dockersh", Settings: "/etc/dockershrc", Served: true,
		Programs: []facts.File{
			{Path: "/usr/local/bin", Mode: unix.S_IFDIR | 0o755}, {Path: front, Mode: unix.S_IFREG | 0o755},
			{Path: "/usr/local/sbin/dockershd", Mode: unix.S_IFREG | 0o755}, {Path: "/usr/local", Mode: unix.S_IFLNK | 0o777},
		},
		Shells: []string{"/bin/sh", front},
		SSHD:   "/usr/sbin/sshd", SSHDFile: "/etc/ssh/sshd_config.d/dockersh.conf", SFTPServer: "/usr/lib/openssh/sftp-server",
		Mounts: []facts.Mount{{On: "/", Options: []string{"rw"}}, {On: "/srv", Options: []string{"rw", "nosuid", "usrquota"}}},
		Engines: []*facts.Engine{{Socket: "/var/run/docker.sock", About: engine.About{
			Name: "Docker", Version: "28.2.2", Oldest: "20.10", Runc: "1.3.3", Seccomp: true, LiveRestore: true,
		}}},
	}
	for i, name := range []string{"alice", "bob"} {
		u := &facts.User{User: account.User{Name: name, UID: uint32(1000 + i), Home: "/home/" + name, Shell: front}, RealHome: "/home/" + name, Groups: []string{name}}
		settle(t, u, goodSettings)
		u.SSHD = facts.ParseOptions(goodSSHD)
		h.Users = append(h.Users, u)
	}
	return h
}

// goodStack is sshd's PAM stack with the module where it belongs.
func goodStack() []*facts.PAMService {
	line := func(module string, args ...string) facts.PAMRule {
		return facts.PAMRule{Location: facts.Location{File: "/etc/pam.d/sshd"}, Control: "required", Module: module, Args: args}
	}
	return []*facts.PAMService{{Name: "sshd", Sessions: []facts.PAMRule{line("pam_selinux.so", "close"), line("pam_dockersh.so", "close"),
		line("pam_limits.so"), line("pam_dockersh.so", "open", "group=students"), line("pam_selinux.so", "open")}}}
}

// withModule adds the module to a host.
func withModule(h *facts.Host) {
	h.PAM = goodStack()
	for _, u := range h.Users {
		setOption(u, "usepam yes")
	}
}

func TestModuleLetsSSHDForward(t *testing.T) {
	h := good(t)
	withModule(h)
	h.Users[1].Shell, h.Users[1].Groups = "/bin/dash", []string{"students"}
	ofSSHD := func() (found []Finding) {
		return slices.DeleteFunc(Judge(h), func(f Finding) bool { return !strings.HasPrefix(f.ID, "sshd-") })
	}
	for _, u := range h.Users {
		setOption(u, "disableforwarding no\nallowtcpforwarding yes\nx11forwarding yes\ngatewayports clientspecified")
	}
	if found := ofSSHD(); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	// By another service, of which nothing is known.
	setOption(h.Users[1], "pamservicename others")
	if found := ofSSHD(); len(found) == 0 || found[0].ID != "sshd-tcp" || len(found[0].Users) != 1 || found[0].Users[0] != "bob" {
		t.Errorf("%+v", found)
	}
	h.PAM = append(h.PAM, &facts.PAMService{Name: "others", Sessions: goodStack()[0].Sessions})
	if found := ofSSHD(); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	h.Users[1].Groups = nil // the module leaves them alone
	if found := ofSSHD(); len(found) == 0 || found[0].ID != "sshd-tcp" || len(found[0].Users) != 1 || found[0].Users[0] != "bob" {
		t.Errorf("%+v", found)
	}
}

// settle sets the settings of the user.
func settle(t *testing.T, u *facts.User, text string) {
	t.Helper()
	f, err := config.Parse("/etc/dockershrc", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Merge(u.Name, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if u.Settings, err = s.Expand(template.Vars{User: u.Name, Home: u.Home, Shell: u.Shell, UID: u.UID, GID: u.GID}); err != nil {
		t.Fatal(err)
	}
	u.Sources = facts.Sources(u.Settings)
	for i := range u.Sources {
		u.Sources[i].Real = u.Sources[i].Path
	}
}

func setOption(u *facts.User, line string) {
	for name, values := range facts.ParseOptions(line) {
		u.SSHD[name] = values
	}
}

func TestSoundHostHasNoFindings(t *testing.T) {
	if found := Judge(good(t)); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

// Every hole that a check refers to is in the ledger, which names the check.
func TestFindingsReferToTheLedger(t *testing.T) {
	ledger, err := os.ReadFile("../../../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, holes, _ := strings.Cut(string(ledger), "\n### Holes\n")
	holes, _, _ = strings.Cut(holes, "\n### ")
	for _, c := range table() {
		n, ok := strings.CutPrefix(c.why, "SECURITY.md, holes, ")
		if !ok {
			continue
		}
		_, row, ok := strings.Cut(holes, "\n| "+n+" | ")
		row, _, _ = strings.Cut(row, "\n")
		if !ok {
			t.Errorf("%s: there is no hole %s in SECURITY.md", c.id, n)
		}
		if !strings.Contains(row, "`"+c.id+"`") {
			t.Errorf("%s: hole %s in SECURITY.md does not name it", c.id, n)
		}
	}
}

func TestSameFindingForManyUsersIsOne(t *testing.T) {
	h := good(t)
	for _, u := range h.Users {
		setOption(u, "disableforwarding no\nallowtcpforwarding yes")
	}
	found := Judge(h)
	if len(found) != 1 || !slices.Equal(found[0].Users, []string{"alice", "bob"}) {
		t.Errorf("%+v", found)
	}
}

func TestBashrcThatTheContainerCanWriteIsAnError(t *testing.T) {
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

func TestUserRCIsAnErrorOnlyForAShellOfTheHost(t *testing.T) {
	for shell, want := range map[string]Severity{front: Warning, "/bin/bash": Error} {
		h := good(t)
		h.Users[0].Shell = shell
		setOption(h.Users[0], "permituserrc yes")
		found := Judge(h)
		if i := slices.IndexFunc(found, func(f Finding) bool { return f.ID == "sshd-user-rc" }); i < 0 || found[i].Severity != want {
			t.Errorf("%s: %+v", shell, found)
		}
	}
}

func TestReadOnlyMountIsNoFinding(t *testing.T) {
	for _, line := range []string{
		"volume = /home:/people:ro", "volume = /srv/data:/data", "volume = cache:/home/alice", "dockeropt = -v /home:/people:ro,z",
		"dockeropt = --volume=/home/alicexx:/a", "volume = /home/al:/a", "dockeropt = --mount type=bind,src=/home,dst=/people,readonly",
	} {
		h := good(t)
		settle(t, h.Users[0], goodSettings+line+"\n")
		if found := Judge(h); len(found) != 0 {
			t.Errorf("%s: %+v", line, found)
		}
	}
}

func TestOwnNumbersInAnImageOfTheUsersAreNoFinding(t *testing.T) {
	for _, line := range []string{"", "containerusername = %U", "containerusername = %U:%G"} {
		h := good(t)
		settle(t, h.Users[0], goodSettings+"enableuserconfig\nenableuserimagename\nallowimage = x\n"+line+"\n")
		if found := Judge(h); len(found) != 0 {
			t.Errorf("%s: %+v", line, found)
		}
	}
}

func TestForwardingToListedPlacesIsNoFinding(t *testing.T) {
	h := good(t)
	setOption(h.Users[0], "disableforwarding no\nallowtcpforwarding yes\npermitopen 192.0.2.7:5432 localhost:80\npermitlisten *:8080")
	if found := Judge(h); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

func TestDisableForwardingAloneIsEnough(t *testing.T) {
	h := good(t)
	setOption(h.Users[0], "allowtcpforwarding yes\nallowstreamlocalforwarding yes\ngatewayports yes")
	if found := Judge(h); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

// The place does not exist yet: the first login makes it, since root and the service can.
func TestUsablePlaceForRecordingsIsNoFinding(t *testing.T) {
	h := good(t)
	h.ServiceMounts = []facts.Mount{{On: "/", Options: []string{"ro"}}, {On: "/var/log/dockersh", Options: []string{"rw"}}}
	h.Users[0].Recording = &facts.Recording{Dir: "/var/log/dockersh/alice", Room: facts.Room{At: "/var/log/dockersh", Space: 94, Files: 94}}
	if found := Judge(h); len(found) != 0 {
		t.Errorf("%+v", found)
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
	for version, want := range map[string]int{"1.0.0-rc6": 6, "1.1.11": 5, "1.1.12": 4, "1.1.14": 3, "1.2.0-rc.2": 4, "1.2.0-rc.3": 3, "1.2.8": 0, "1.3.2": 3, "1.3.3": 0,
		"1.4.0-rc.2": 3, "1.4.0-rc.3": 0} {
		e := &facts.Engine{About: engine.About{Runc: version}}
		got := 0
		if f := runtimeVersion(nil, e); f != nil {
			got = strings.Count(f.text, "CVE-20")
		}
		if got != want {
			t.Errorf("runc %s: %d ways out, want %d", version, got, want)
		}
	}
	mended := &facts.Engine{About: engine.About{Runc: "1.1.5+ds1"}, Mended: []string{"CVE-2024-21626", "CVE-2025-31133"}}
	if f := runtimeVersion(nil, mended); f == nil || !strings.Contains(f.text, "closed CVE-2024-45310, CVE-2025-52565, CVE-2025-52881.") {
		t.Errorf("%+v", f)
	}
	mended.Mended = append(mended.Mended, "CVE-2024-45310", "CVE-2025-52565", "CVE-2025-52881")
	if f := runtimeVersion(nil, mended); f != nil {
		t.Errorf("all closed by the distribution: %+v", f)
	}
}

func TestPodmanHasVersionsOfItsOwn(t *testing.T) {
	h := good(t)
	h.Engines[0].Name, h.Engines[0].Oldest, h.Engines[0].Version = "Podman", "4.3", "4.3.1"
	if found := Judge(h); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	h.Engines[0].Version = "3.4.4"
	if found := Judge(h); len(found) != 1 || found[0].ID != "engine-version" {
		t.Errorf("%+v", found)
	}
}
