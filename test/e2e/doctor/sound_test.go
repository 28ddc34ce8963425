//go:build e2e

package doctor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// finding is a finding of the doctor.
type finding struct {
	ID, Severity, Text, File, Why string
	Users, Lines                  []string
}

// runDoctor returns the findings about a user, and how long the login took.
func runDoctor(t *testing.T, u *e2e.Account, args ...string) (found []finding, seconds float64, status int) {
	t.Helper()
	out, errs, status := e2e.Ctl(t, append([]string{"doctor", "--json", u.Name}, args...)...)
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

// accepted are findings about the machine that runs the tests, which no test can mend: its
// versions, its disk, and an engine without a packet filter.
const (
	acceptedHere = "runtime-version,disk-limit,home-quota,seccomp,live-restore"
	accepted     = "--accept=" + acceptedHere + ",neighbour-reached,host-reached"
)

// hostFiles are the files of the host that these tests spoil. They are copies, private to
// the run.
var hostFiles = []string{"/etc/ssh/sshd_config", "/etc/shells", "/etc/pam.d/sshd"}

// soundHost makes a host without findings for a new user: the home inside is not the
// host's, and sshd has the lines that dockershctl prints.
func soundHost(t *testing.T, lines ...string) *e2e.Account {
	t.Helper()
	for _, name := range hostFiles {
		e2e.RestoreFile(t, name)
	}
	dir := "/etc/ssh/sshd_config.d"
	e2e.RestoreFile(t, dir+"/dockersh.conf")
	others, _ := filepath.Glob(dir + "/*")
	for _, name := range others {
		e2e.RestoreFile(t, name)
		_ = os.Remove(name)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	e2e.OnHost(t, "ssh-keygen", "-q", "-A")
	e2e.WriteFile(t, "/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM no\nStrictModes no\nAuthorizedKeysFile "+e2e.Scratch+"/keys/%u\nSubsystem sftp /usr/lib/openssh/sftp-server\n")
	e2e.WriteFile(t, "/etc/shells", "/bin/sh\n/bin/bash\n"+e2e.Front+"\n")
	e2e.WriteFile(t, "/etc/pam.d/sshd", "account required pam_unix.so\n")
	u := e2e.NewUser(t, append([]string{"mounthome", "mounthomefrom = " + e2e.Homes + "/apart-%u"}, lines...)...)
	apart := e2e.Homes + "/apart-" + u.Name
	if err := os.Mkdir(apart, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(apart) })
	_ = os.Chown(apart, u.UID, u.GID)
	snippet, errs, status := e2e.Ctl(t, "sshd-config", u.Name)
	if status != 0 {
		t.Fatal(errs)
	}
	e2e.WriteFile(t, dir+"/dockersh.conf", snippet)
	e2e.OnHost(t, "/usr/sbin/sshd", "-t")
	return u
}
