//go:build e2e

package e2e

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// finding is one of the doctor's.
type finding struct {
	ID, Severity, Text, File, Why string
	Users, Lines                  []string
}

// doctorSays gives the findings about a user, and how his login went.
func doctorSays(t *testing.T, u *account, args ...string) (found []finding, seconds float64, status int) {
	t.Helper()
	out, errs, status := ctl(t, append([]string{"doctor", "--json", u.name}, args...)...)
	var r struct {
		Findings []finding
		Login    struct {
			User    string
			Seconds float64
		}
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: %q %q, status %d", err, out, errs, status)
	}
	return r.Findings, r.Login.Seconds, status
}

func find(found []finding, id string) *finding {
	if i := slices.IndexFunc(found, func(f finding) bool { return f.ID == id }); i >= 0 {
		return &found[i]
	}
	return nil
}

func ids(found []finding) (out []string) {
	for _, f := range found {
		out = append(out, f.ID)
	}
	return out
}

// accepted is what no line that a test could write would mend: the versions and
// the disk of the machine that the tests run on.
const accepted = "--accept=runtime-version,disk-limit,home-quota,seccomp"

// hostFiles are those of the host's that the tests of the doctor spoil. They are
// this run's own copies.
var hostFiles = []string{"/etc/ssh/sshd_config", "/etc/shells", "/etc/pam.d/sshd"}

// sound makes a host on which the doctor finds nothing for a new user: his home
// apart, and sshd's lines as dockershctl prints them.
func sound(t *testing.T, lines ...string) *account {
	t.Helper()
	if !broker.ready() {
		t.Skip("no service here: a sound host, as the doctor sees it, has one")
	}
	for _, name := range hostFiles {
		keepFile(t, name)
	}
	dir := "/etc/ssh/sshd_config.d"
	keepFile(t, dir+"/dockersh.conf")
	others, _ := filepath.Glob(dir + "/*")
	for _, name := range others {
		keepFile(t, name)
		_ = os.Remove(name)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "ssh-keygen", "-q", "-A")
	write(t, "/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM no\nStrictModes no\nAuthorizedKeysFile "+scratch+"/keys/%u\nSubsystem sftp /usr/lib/openssh/sftp-server\n")
	write(t, "/etc/shells", "/bin/sh\n/bin/bash\n"+front+"\n")
	write(t, "/etc/pam.d/sshd", "account required pam_unix.so\n")
	u := newBoxed(t, append([]string{"mounthome", "mounthomefrom = " + homes + "/apart-%u"}, lines...)...)
	apart := homes + "/apart-" + u.name
	if err := os.Mkdir(apart, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(apart) })
	_ = os.Chown(apart, u.uid, u.gid)
	snippet, errs, status := ctl(t, "sshd-config", u.name)
	if status != 0 {
		t.Fatal(errs)
	}
	write(t, dir+"/dockersh.conf", snippet)
	run(t, "/usr/sbin/sshd", "-t")
	return u
}

// keepFile puts a file back as it was when the test ends.
func keepFile(t *testing.T, name string) {
	t.Helper()
	old, err := os.ReadFile(name)
	t.Cleanup(func() {
		_ = os.Remove(name)
		if err == nil {
			write(t, name, string(old))
		}
	})
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDoctorIsSilentOnASoundHost(t *testing.T) {
	u := sound(t)
	found, seconds, status := doctorSays(t, u, accepted)
	if len(found) != 0 || status != 0 {
		t.Errorf("status %d, %+v", status, found)
	}
	// A real login it was: there is the container.
	if seconds <= 0 || len(u.containers(t)) != 1 {
		t.Errorf("a login of %v s, containers %v", seconds, u.containers(t))
	}
	out, errs, status := ctl(t, "doctor", accepted, u.name)
	if status != 0 || !strings.HasPrefix(out, "no findings\n") || !strings.Contains(out, "a login of "+u.name+" took ") || errs != "" {
		t.Errorf("%d: %q %q", status, out, errs)
	}
	u.reset(t, "mounthome", "mounthomefrom = "+homes+"/apart-%u", "containername = %u-%x")
	if found, _, _ = doctorSays(t, u, accepted, "--no-login"); len(found) != 0 {
		t.Errorf("with %%x: %+v", found)
	}
	if found, seconds, _ = doctorSays(t, u, accepted, "--no-login"); len(found) != 0 || seconds != 0 {
		t.Errorf("--no-login: %+v, %v s", found, seconds)
	}
}

func TestDoctorNamesWhatIsWrongAndTheLine(t *testing.T) {
	u := sound(t)
	edit := func(name, old, repl string) func(t *testing.T) {
		return func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil || !strings.Contains(string(b), old) {
				t.Fatalf("%v: no %q in %q", err, old, b)
			}
			t.Cleanup(func() { write(t, name, string(b)) })
			write(t, name, strings.Replace(string(b), old, repl, 1))
		}
	}
	dropIn := "/etc/ssh/sshd_config.d/dockersh.conf"
	sshd := func(old, repl string) func(t *testing.T) { return edit(dropIn, old, repl) }
	with := func(lines ...string) func(t *testing.T) {
		return func(t *testing.T) {
			base := []string{"mounthome", "mounthomefrom = " + homes + "/apart-%u"}
			u.reset(t, append(base, lines...)...)
			t.Cleanup(func() { u.reset(t, base...) })
		}
	}
	home := func(t *testing.T) {
		u.reset(t, "mounthome")
		t.Cleanup(func() { u.reset(t, "mounthome", "mounthomefrom = "+homes+"/apart-%u") })
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
	shell := func(t *testing.T) {
		run(t, "usermod", "-s", "/bin/bash", u.name)
		t.Cleanup(func() { run(t, "usermod", "-s", front, u.name) })
	}
	for _, c := range []struct {
		id, severity, file, line string
		spoil                    []func(t *testing.T)
		besides                  []string // what comes along
	}{
		{"sshd-tcp", "error", dropIn, "DisableForwarding yes", []func(*testing.T){sshd("DisableForwarding yes", "DisableForwarding no"), sshd("AllowTcpForwarding no", "AllowTcpForwarding yes")}, nil},
		{"sshd-gateway", "error", dropIn, "GatewayPorts no", []func(*testing.T){sshd("DisableForwarding yes", ""), sshd("AllowTcpForwarding no", ""), sshd("GatewayPorts no", "GatewayPorts yes")}, []string{"sshd-tcp"}},
		{"sshd-sockets", "error", dropIn, "AllowStreamLocalForwarding no", []func(*testing.T){sshd("DisableForwarding yes", ""), sshd("AllowStreamLocalForwarding no", "")}, nil},
		{"sshd-tunnel", "error", dropIn, "PermitTunnel no", []func(*testing.T){sshd("PermitTunnel no", "PermitTunnel yes")}, nil},
		{"sshd-x11", "warning", dropIn, "X11Forwarding no", []func(*testing.T){sshd("X11Forwarding no", "X11Forwarding yes")}, nil},
		{"sshd-user-rc", "warning", dropIn, "PermitUserRC no", []func(*testing.T){sshd("PermitUserRC no", "")}, nil},
		{"sshd-user-environment", "error", dropIn, "PermitUserEnvironment no", []func(*testing.T){sshd("PermitUserEnvironment no", "PermitUserEnvironment yes")}, nil},
		{"sshd-accept-env", "error", dropIn, "AcceptEnv LANG LC_* COLORTERM TZ", []func(*testing.T){sshd("AcceptEnv LANG", "AcceptEnv LD_* LANG")}, nil},
		{"sshd-set-env", "error", "", "", []func(*testing.T){sshd("ExposeAuthInfo yes", "SetEnv SSH_CLIENT=192.0.2.9")}, nil},
		{"sshd-internal-sftp", "error", dropIn, "Subsystem sftp /usr/lib/openssh/sftp-server", []func(*testing.T){sshd("ForceCommand", "#"), edit("/etc/ssh/sshd_config", "/usr/lib/openssh/sftp-server", "internal-sftp")}, nil},
		{"sshd-unknown", "error", "", "/usr/sbin/sshd -t", []func(*testing.T){sshd("X11Forwarding no", "X11Forwarding perhaps")}, nil},
		{"shell-reads-home", "warning", "", "chsh -s " + front + " USER", []func(*testing.T){shell}, nil},
		{"shell-reads-home", "error", "", "chsh -s " + front + " USER", []func(*testing.T){shell, home}, []string{"home-shared"}},
		{"shell-of-the-host", "warning", "", "chsh -s " + front + " USER", []func(*testing.T){shell, sshd("ForceCommand", "#")}, nil},
		{"home-shared", "warning", settings, "mounthomefrom = /srv/homes/%u", []func(*testing.T){home}, nil},
		{"home-shared", "warning", "", "", []func(*testing.T){with("volume = " + homes + ":/people")}, nil},
		{"pam-user-environment", "error", "", "sed -i '1s/user_readenv=1/user_readenv=0/' /etc/pam.d/sshd", []func(*testing.T){home,
			edit("/etc/pam.d/sshd", "account", "session required pam_env.so user_readenv=1\naccount")}, []string{"home-shared"}},
		{"docker-group", "error", "", "gpasswd -d USER docker", []func(*testing.T){func(t *testing.T) {
			u.join(t, "docker")
			t.Cleanup(func() { run(t, "gpasswd", "-d", u.name, "docker") })
		}}, nil},
		{"engine-socket", "error", "", "chmod 660 /run/docker.sock", []func(*testing.T){mode("/run/docker.sock", 0o666)}, nil},
		{"engine-socket", "error", "", "chmod 660 /run/docker.sock", []func(*testing.T){func(t *testing.T) {
			const acl = "system.posix_acl_access"
			if err := syscall.Setxattr("/run/docker.sock", acl, aclFor(u.uid), 0); err != nil {
				t.Skipf("the file system of /run has no access control lists: %v", err)
			}
			t.Cleanup(func() { run(t, "chmod", "660", "/run/docker.sock"); _ = syscall.Removexattr("/run/docker.sock", acl) })
		}}, nil},
		{"engine-socket", "error", "", "chown root:docker /run/docker.sock", []func(*testing.T){func(t *testing.T) {
			u.join(t, "dshengine")
			run(t, "chgrp", "dshengine", "/run/docker.sock")
			t.Cleanup(func() {
				run(t, "chgrp", "root", "/run/docker.sock")
				run(t, "gpasswd", "-d", u.name, "dshengine")
			})
		}}, nil},
		{"program-owner", "error", "", "chmod go-w " + prefix + "/libexec/dockersh/dockersh-init", []func(*testing.T){mode(prefix+"/libexec/dockersh/dockersh-init", 0o777)}, nil},
		{"program-owner", "error", "", "chmod go-w " + prefix, []func(*testing.T){mode(prefix, 0o777)}, nil},
		{"program-setuid", "error", "", "chmod u-s " + front, []func(*testing.T){mode(front, 0o755|os.ModeSetuid)}, nil},
		{"no-door", "error", "", "systemctl enable --now dockershd.socket", []func(*testing.T){func(t *testing.T) {
			broker.stop()
			t.Cleanup(func() {
				if err := broker.start(); err != nil {
					t.Error(err)
				}
			})
		}}, nil},
		{"etc-shells", "warning", "/etc/shells", front, []func(*testing.T){edit("/etc/shells", front, "")}, nil},
		{"settings-file", "error", "", "dockershctl check", []func(*testing.T){mode(settings, 0o666)}, nil},
		{"pids-limit", "warning", settings, "pidslimit = 1024", []func(*testing.T){with("pidslimit = 0")}, nil},
		{"log-driver", "warning", settings, "dockeropt = --log-opt max-size=10m", []func(*testing.T){with("entrypoint = /bin/sleep", "cmd = 1000", "dockeropt = --log-driver=json-file")}, nil},
		{"host-given-away", "error", settings, "mountdockersocket = false", []func(*testing.T){with("mountdockersocket")}, nil},
		{"user-namespaces", "warning", "", "", []func(*testing.T){with("containerusername = root")}, nil},
		{"engine-down", "error", "", "systemctl enable --now docker", []func(*testing.T){with("dockersocket = /run/nothing.sock")}, nil},
	} {
		t.Run(c.id, func(t *testing.T) {
			for _, spoil := range c.spoil {
				spoil(t)
			}
			found, _, status := doctorSays(t, u, accepted, "--no-login")
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
	if found, _, _ := doctorSays(t, u, accepted, "--no-login"); len(found) != 0 {
		t.Errorf("afterwards: %+v", found)
	}
}

// Everything is wrong at once; then each line is written, and each command run,
// as the doctor says.
func TestWhatTheDoctorSaysDoneMakesItSilent(t *testing.T) {
	u := sound(t)
	u.reset(t, "mounthome", "pidslimit = 0")
	u.join(t, "docker")
	run(t, "usermod", "-s", "/bin/bash", u.name)
	t.Cleanup(func() { run(t, "chown", "root:root", "/run/docker.sock"); run(t, "chmod", "660", "/run/docker.sock") })
	run(t, "chmod", "666", "/run/docker.sock")
	helper := prefix + "/libexec/dockersh/dockersh-init"
	t.Cleanup(func() { run(t, "chmod", "755", helper) })
	run(t, "chmod", "777", helper)
	write(t, "/etc/shells", "/bin/sh\n/bin/bash\n") // chsh wants the old one there
	write(t, "/etc/pam.d/sshd", "session required pam_env.so user_readenv=1\n")
	_ = os.Remove("/etc/ssh/sshd_config.d/dockersh.conf")
	write(t, "/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nSubsystem sftp internal-sftp\nPermitUserEnvironment yes\nPermitTunnel yes\n"+
		"X11Forwarding yes\nGatewayPorts yes\nAcceptEnv *\n")
	if err := os.MkdirAll("/srv/homes/"+u.name, 0o755); err != nil {
		t.Fatal(err)
	}
	_ = os.Chown("/srv/homes/"+u.name, u.uid, u.gid)

	lines := []string{"mounthome"}
	var seen []string
	for range 4 { // what is written may show more
		found, _, _ := doctorSays(t, u, accepted, "--no-login")
		if len(found) == 0 {
			break
		}
		for _, f := range found {
			seen = append(seen, f.ID)
			for _, line := range f.Lines {
				switch {
				case f.File == "":
					_ = exec.Command("sh", "-c", strings.ReplaceAll(line, "USER", u.name)).Run() // what it did shows below
				case strings.HasPrefix(f.File, settings):
					lines = append(lines, line)
				case f.File == "/etc/shells":
					write(t, f.File, "/bin/sh\n"+line+"\n")
				case strings.HasPrefix(f.File, "/etc/ssh/"):
					snippet, _, _ := ctl(t, "sshd-config", u.name)
					write(t, f.File, snippet)
				}
			}
		}
		u.reset(t, lines...)
	}
	for _, id := range []string{"sshd-sockets", "sshd-tcp", "sshd-gateway", "sshd-tunnel", "sshd-x11", "sshd-internal-sftp", "sshd-user-environment", "sshd-user-rc",
		"sshd-accept-env", "docker-group", "engine-socket", "home-shared", "pam-user-environment", "pids-limit", "program-owner", "etc-shells", "shell-of-the-host"} {
		if !slices.Contains(seen, id) {
			t.Errorf("%s was not told; told: %q", id, seen)
		}
	}
	if found, seconds, status := doctorSays(t, u, accepted); len(found) != 0 || status != 0 || seconds <= 0 {
		t.Errorf("afterwards: status %d, a login of %v s, %+v", status, seconds, found)
	}
}

// aclFor is an access control list (acl(5)) as the kernel has it: owner, group
// and one more user may read and write.
func aclFor(uid int) []byte {
	const ownerTag, userTag, groupTag, maskTag, otherTag, nobody = 1, 2, 4, 16, 32, 0xffffffff
	b := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range []struct {
		tag, perm uint16
		id        uint32
	}{{ownerTag, 6, nobody}, {userTag, 6, uint32(uid)}, {groupTag, 6, nobody}, {maskTag, 6, nobody}, {otherTag, 0, nobody}} {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, e.perm)
		b = binary.LittleEndian.AppendUint32(b, e.id)
	}
	return b
}

func TestDoctorsCommandLine(t *testing.T) {
	for _, c := range []struct {
		status int
		args   []string
		word   string
	}{
		{2, []string{"doctor", "--accept", "nonsense"}, `no finding is called "nonsense"`},
		{2, []string{"doctor", "--login"}, "needs a value"},
		{2, []string{"doctor", "--login=a", "--no-login"}, "--no-login"},
		{2, []string{"doctor", "-x"}, "unknown option"},
		{1, []string{"doctor", "nobody-is-called-so"}, "no such user"},
		{1, []string{"doctor", "--login=nobody-is-called-so", tiny.name}, "no such user"},
		{2, []string{"sshd-config", "--group", "a", "b"}, "users or a group"},
		{2, []string{"sshd-config", "--group"}, "needs a value"},
		{1, []string{"sshd-config", "nobody-is-called-so"}, "no such user"},
		{1, []string{"sshd-config", "--group", `DOM\users`}, "cannot hold the name"},
	} {
		if out, errs, status := ctl(t, c.args...); status != c.status || out != "" || !strings.Contains(errs, c.word) {
			t.Errorf("%q: %d %q %q", c.args, status, out, errs)
		}
	}
	cmd := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", prefix+"/bin/dockershctl", "doctor")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "only root may") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestDoctorEndsWithALoginThatMayFail(t *testing.T) {
	u := sound(t)
	u.reset(t, "imagename = dsh-nothing", "pull = never")
	found, _, status := doctorSays(t, u, accepted)
	f := find(found, "login")
	if f == nil || len(found) != 1 || status != 1 || !strings.Contains(f.Text, "dsh-nothing") {
		t.Errorf("status %d, %+v", status, found)
	}
}

// Who is told apart by what only sshd knows is not logged in without it, and
// sshd has to tell.
func TestDoctorKnowsWhoCanComeOnlyBySSHD(t *testing.T) {
	u := sound(t, "containername = %u-%k")
	if found, seconds, _ := doctorSays(t, u, accepted); len(found) != 0 || seconds != 0 {
		t.Errorf("%v s, %+v", seconds, found)
	}
	dropIn := "/etc/ssh/sshd_config.d/dockersh.conf"
	b, err := os.ReadFile(dropIn)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dropIn, strings.Replace(string(b), "ExposeAuthInfo yes", "ExposeAuthInfo no", 1))
	found, _, status := doctorSays(t, u, accepted)
	if f := find(found, "sshd-auth-info"); f == nil || len(found) != 1 || status != 1 || !slices.Equal(f.Lines, []string{"ExposeAuthInfo yes"}) {
		t.Errorf("status %d, %+v", status, found)
	}
}

// The other engine is judged by its own versions.
func TestDoctorKnowsPodman(t *testing.T) {
	podmanEngine(t)
	u := sound(t, "dockersocket = "+podmanSocket)
	if found, _, status := doctorSays(t, u, accepted, "--no-login"); len(found) != 0 || status != 0 {
		t.Errorf("status %d, %+v", status, found)
	}
}

// Whom nobody names: by passwd, by a section, by a block of sshd's.
func TestDoctorFindsTheUsersByItself(t *testing.T) {
	u := sound(t)
	v := newUser(t, "/bin/bash") // a section of the settings
	w := newUser(t, "/bin/bash")
	w.join(t, "dshclass")
	host := newUser(t, "/bin/bash", "hostshell = /bin/bash")
	if err := unset(`user "` + w.name + `"`); err != nil {
		t.Fatal(err)
	}
	snippet, errs, status := ctl(t, "sshd-config", "--group", "dshclass")
	if status != 0 {
		t.Fatal(errs)
	}
	write(t, "/etc/ssh/sshd_config.d/class.conf", snippet)
	t.Cleanup(func() { _ = os.Remove("/etc/ssh/sshd_config.d/class.conf") })
	var out string
	out, errs, status = ctl(t, "doctor", "--json", "--no-login")
	var r struct{ Findings []finding }
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 1 {
		t.Fatalf("%v: %d %q %q", err, status, out, errs)
	}
	if f := find(r.Findings, "shell-reads-home"); f == nil || !slices.Contains(f.Users, w.name) {
		t.Errorf("%s, whom sshd leads to dockersh: %+v", w.name, r.Findings)
	}
	if f := find(r.Findings, "shell-of-the-host"); f == nil || !slices.Contains(f.Users, v.name) {
		t.Errorf("%s, whom a section names: %+v", v.name, f)
	}
	for _, f := range r.Findings {
		if slices.Contains(f.Users, host.name) {
			t.Errorf("%s has a shell of the host by intention: %+v", host.name, f)
		}
		if strings.HasPrefix(f.ID, "sshd-") && slices.Contains(f.Users, u.name) {
			t.Errorf("%s: %+v", u.name, f)
		}
	}
	for _, text := range []string{"Match User " + w.name + "\n\tForceCommand " + front + "\n", "ForceCommand " + front + "\n"} {
		write(t, "/etc/ssh/sshd_config.d/class.conf", text)
		if out, _, _ := ctl(t, "doctor", "--json", "--no-login"); !strings.Contains(out, `"`+w.name+`"`) {
			t.Errorf("%q does not lead to %s: %s", text, w.name, out)
		}
	}
}

// The ways past the login shell that the ledger in SECURITY.md tells of, with sshd's
// own defaults and with the lines that dockershctl prints.
func TestSSHDWithTheSnippetGivesNoWayPastDockersh(t *testing.T) {
	u := sound(t)
	u.join(t, "docker")
	run(t, "usermod", "-s", "/bin/bash", u.name)
	run(t, "chgrp", "docker", "/run/docker.sock")
	t.Cleanup(func() { run(t, "chgrp", "root", "/run/docker.sock") })
	b, err := os.ReadFile("/etc/ssh/sshd_config")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "/etc/ssh/sshd_config", strings.Replace(string(b), "/usr/lib/openssh/sftp-server", "internal-sftp", 1)+
		"ListenAddress 127.0.0.1\nPort "+otherPort+"\nPidFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n")
	t.Run("with the snippet", func(t *testing.T) {
		if got := pastTheShell(t, u); len(got) != 0 {
			t.Errorf("sshd gives %q", got)
		}
	})
	_ = os.Remove("/etc/ssh/sshd_config.d/dockersh.conf")
	t.Run("without it", func(t *testing.T) {
		if got := pastTheShell(t, u); len(got) != 4 {
			t.Errorf("sshd gives only %q: this test shows nothing", got)
		}
	})
}

// otherPort is that of an sshd with the host's own configuration.
const otherPort = "2223"

// pastTheShell starts an sshd, and gives what of the host a user reaches.
func pastTheShell(t *testing.T, u *account) (reached []string) {
	d := &daemon{name: "sshd-doctor", argv: []string{"/usr/sbin/sshd", "-D", "-e"}, ready: func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+otherPort)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}}
	if err := d.start(); err != nil {
		t.Fatal(err, d.log())
	}
	defer d.stop()
	client := func(args ...string) *exec.Cmd {
		argv := sshArgv(u, args...)
		argv[slices.Index(argv, port)] = otherPort
		return exec.Command("timeout", append([]string{"60"}, argv...)...)
	}
	output := func(args ...string) string {
		out, _ := client(args...).Output() // a refusal shows as nothing
		return string(out)
	}
	if strings.TrimSpace(output("127.0.0.1", "cat /proc/sys/kernel/hostname")) == "apart" {
		reached = append(reached, "a shell")
	}
	if strings.HasPrefix(output("-W", "127.0.0.1:"+port, "127.0.0.1"), "SSH-2.0") {
		reached = append(reached, "a port")
	}
	if speaksSFTP(t, client("-s", "127.0.0.1", "sftp")) {
		reached = append(reached, "files")
	}
	socket := scratch + "/forwarded.sock"
	_ = os.Remove(socket)
	tunnel := client("-N", "-L", socket+":/run/docker.sock", "127.0.0.1")
	if err := tunnel.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tunnel.Process.Signal(syscall.SIGTERM); _ = tunnel.Wait() }()
	var conn net.Conn
	eventually(t, "the client listens", func() (ok bool) {
		var err error
		conn, err = net.Dial("unix", socket)
		return err == nil
	})
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(limit))
	_, _ = conn.Write([]byte("GET /_ping HTTP/1.0\r\n\r\n"))
	answer, _ := io.ReadAll(conn) // of a refused connection: nothing
	if strings.HasPrefix(string(answer), "HTTP/1") {
		reached = append(reached, "the engine")
	}
	return reached
}

// speaksSFTP tells whether an sftp server answers a client's first message.
func speaksSFTP(t *testing.T, cmd *exec.Cmd) bool {
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(in, "\x00\x00\x00\x05\x01\x00\x00\x00\x03") // SSH_FXP_INIT, version 3
	answer := make([]byte, 5)
	_, err = io.ReadFull(out, answer)
	_ = in.Close()
	_ = cmd.Wait()
	return err == nil && answer[4] == 2 // SSH_FXP_VERSION
}
