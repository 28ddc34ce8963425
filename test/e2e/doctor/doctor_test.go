//go:build e2e

package doctor

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestDoctorIsSilentOnASoundHost(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := soundHost(t)
	found, seconds, status := runDoctor(t, u, accepted)
	if len(found) != 0 || status != 0 {
		t.Errorf("status %d, %+v", status, found)
	}
	// It was a real login: it made the container.
	if seconds <= 0 || len(u.Containers(t)) != 1 {
		t.Errorf("a login of %v s, containers %v", seconds, u.Containers(t))
	}
	out, errs, status := e2e.Ctl(t, "doctor", accepted, u.Name)
	if status != 0 || !strings.HasPrefix(out, "no findings\n") || !strings.Contains(out, "a login of "+u.Name+" took ") || errs != "" {
		t.Errorf("%d: %q %q", status, out, errs)
	}
	u.Configure(t, "mounthome", "mounthomefrom = "+e2e.Homes+"/apart-%u", "containername = %u-%x")
	if found, _, _ = runDoctor(t, u, accepted, "--no-login"); len(found) != 0 {
		t.Errorf("with %%x: %+v", found)
	}
	if found, seconds, _ = runDoctor(t, u, accepted, "--no-login"); len(found) != 0 || seconds != 0 {
		t.Errorf("--no-login: %+v, %v s", found, seconds)
	}
}

func TestDoctorRefusesAWrongCommandLine(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	for _, c := range []struct {
		status int
		args   []string
		word   string
	}{
		{2, []string{"doctor", "--accept", "nonsense"}, `no finding has the name "nonsense"`},
		{2, []string{"doctor", "--login"}, "needs a value"},
		{2, []string{"doctor", "--login=a", "--no-login"}, "--no-login"},
		{2, []string{"doctor", "-x"}, "unknown option"},
		{1, []string{"doctor", "nobody-is-called-so"}, "no such user"},
		{1, []string{"doctor", "--login=nobody-is-called-so", e2e.Tiny.Name}, "no such user"},
		{2, []string{"sshd-config", "--group", "a", "b"}, "users or a group"},
		{2, []string{"sshd-config", "--group"}, "needs a value"},
		{1, []string{"sshd-config", "nobody-is-called-so"}, "no such user"},
		{1, []string{"sshd-config", "--group", `DOM\users`}, "cannot hold the name"},
	} {
		if out, errs, status := e2e.Ctl(t, c.args...); status != c.status || out != "" || !strings.Contains(errs, c.word) {
			t.Errorf("%q: %d %q %q", c.args, status, out, errs)
		}
	}
	cmd := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", e2e.CtlPath, "doctor")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "only root may") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestDoctorReportsALoginThatFails(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := soundHost(t)
	u.Configure(t, "imagename = dsh-nothing", "pull = never")
	found, _, status := runDoctor(t, u, accepted)
	f := find(found, "login")
	if f == nil || len(found) != 1 || status != 1 || !strings.Contains(f.Text, "dsh-nothing") {
		t.Errorf("status %d, %+v", status, found)
	}
}

// The doctor reports that the host has no quotas.
func TestDoctorReportsDisksWithoutALimit(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	const most = "--accept=runtime-version,seccomp,live-restore"
	u := soundHost(t)
	found, _, status := runDoctor(t, u, most, "--no-login")
	if got := ids(found); status != 0 || !slices.Equal(got, []string{"disk-limit", "home-quota"}) {
		t.Errorf("status %d, %v", status, got)
	}
	on := "/srv/quota"
	make := `disk="$APART/quota.img"; truncate -s 8M "$disk" && mkfs.ext4 -q "$disk" && mkdir -p "$0" && mount -o loop,usrquota "$disk" "$0"`
	if out, err := exec.Command("sh", "-c", make, on).CombinedOutput(); err != nil {
		t.Skipf("no file system with quotas here: %s", out)
	}
	t.Cleanup(func() { e2e.OnHost(t, "umount", on) })
	u.Configure(t, "mounthome", "mounthomefrom = "+on, "dockeropt = --storage-opt size=10G")
	if found, _, status := runDoctor(t, u, most, "--no-login"); len(found) != 0 || status != 0 {
		t.Errorf("with limits: status %d, %+v", status, found)
	}
}

// Users whose container depends on what only sshd knows cannot log in without sshd, and
// sshd has to expose it.
func TestDoctorSkipsTheLoginOfUsersWhoNeedSSHD(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := soundHost(t, "containername = %u-%k")
	if found, seconds, _ := runDoctor(t, u, accepted); len(found) != 0 || seconds != 0 {
		t.Errorf("%v s, %+v", seconds, found)
	}
	dropIn := "/etc/ssh/sshd_config.d/dockersh.conf"
	b, err := os.ReadFile(dropIn)
	if err != nil {
		t.Fatal(err)
	}
	e2e.WriteFile(t, dropIn, strings.Replace(string(b), "ExposeAuthInfo yes", "ExposeAuthInfo no", 1))
	found, _, status := runDoctor(t, u, accepted)
	if f := find(found, "sshd-auth-info"); f == nil || len(found) != 1 || status != 1 || !slices.Equal(f.Lines, []string{"ExposeAuthInfo yes"}) {
		t.Errorf("status %d, %+v", status, found)
	}
}

// Podman has version numbers of its own.
func TestDoctorIsSilentOnASoundPodman(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u := soundHost(t, e2e.InPodman)
	if found, _, status := runDoctor(t, u, accepted, "--no-login"); len(found) != 0 || status != 0 {
		t.Errorf("status %d, %+v", status, found)
	}
}
