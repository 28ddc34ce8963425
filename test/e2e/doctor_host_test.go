//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
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
