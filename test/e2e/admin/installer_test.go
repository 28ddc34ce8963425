//go:build e2e

package admin

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// installed is the directory that the installer image is for: an empty one here, private
// to the run.
const installed = "/usr/local/bin"

// installerImage builds the image from a clean tree, without registry and network, on a
// local base image.
func installerImage(t *testing.T, base string) string {
	t.Helper()
	tree := os.Getenv("APART") + "/tree-" + base
	if err := os.Mkdir(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(tree) })
	e2e.OnHost(t, "sh", "-c", `tar -C "$REPO" --exclude=./build --exclude=./bin --exclude=./.git -cf - . | tar -C "$0" -xf -`, tree)
	image := "dsh-install-" + base
	cmd := exec.Command("make", "-C", tree, "image", "IMAGE="+image, "BASE="+base)
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make image: %v\n%s", err, out)
	}
	t.Cleanup(func() { e2e.OnHost(t, "docker", "rmi", "-f", image) })
	return image
}

func install(t *testing.T, image string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command("docker", append([]string{"run", "--rm", "--network=none"}, args...)...).CombinedOutput()
	return string(out), err
}

func TestTheInstallerImageLeavesAWorkingDockersh(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	if err := syscall.Mount("dsh", installed, "tmpfs", 0, "mode=755"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(installed, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	e2e.RestoreFile(t, "/etc/shells")
	units, rotate := e2e.Scratch+"/units", e2e.Scratch+"/rotate"
	for _, dir := range []string{units, rotate} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	image := installerImage(t, "dsh-busybox")
	mode := func() os.FileMode {
		st, err := os.Stat(installed + "/dockersh")
		if err != nil {
			t.Fatal(err)
		}
		return st.Mode()
	}
	if out, err := install(t, image, "-v", installed+":/target", "-v", "/etc/shells:/etc/shells", "-v", units+":/etc/systemd/system", "-v", rotate+":/etc/logrotate.d", image); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if m := mode(); m != 0o755 {
		t.Errorf("mode %v", m)
	}
	if b, _ := os.ReadFile("/etc/shells"); strings.Count(string(b), installed+"/dockersh\n") != 1 {
		t.Errorf("/etc/shells: %s", b)
	}
	if b, _ := os.ReadFile(units + "/dockershd.service"); !strings.Contains(string(b), "\nExecStart="+installed+"/dockershd\n") {
		t.Errorf("dockershd.service: %s", b)
	}
	if b, _ := os.ReadFile(rotate + "/dockersh"); !strings.Contains(string(b), "\n/var/log/dockersh/sessions.log {\n") {
		t.Errorf("logrotate: %s", b)
	}

	// The installed service, and a user with the installed shell.
	e2e.Broker.Stop()
	mine := &e2e.Daemon{Name: "dockershd-installed", Argv: []string{installed + "/dockershd"}, Ready: e2e.Broker.Ready}
	if err := mine.Start(); err != nil {
		t.Fatal(err, mine.Log())
	}
	t.Cleanup(func() {
		mine.Stop()
		if !e2e.Broker.Alive() {
			if err := e2e.Broker.Start(); err != nil {
				t.Error(err)
			}
		}
	})
	u := e2e.NewAccount(t, installed+"/dockersh")
	if r := e2e.SSH(t, u, "cat /proc/1/comm; exit 7"); r.Status != 7 || r.Stdout != "dockersh-init\n" {
		t.Errorf("%+v\n%s", r, mine.Log())
	}
	out, err := exec.Command(installed+"/dockershctl", "doctor", "--no-login", u.Name).Output()
	if strings.Contains(string(out), " program-") || strings.Contains(string(out), " no-door") || !strings.Contains(string(out), " sshd-tcp") {
		t.Errorf("%v: %s", err, out)
	}

	// It is installed again, setuid, while a session is live.
	c := e2e.SSHConsole(t, u)
	c.FirstPrompt()
	if out, err := install(t, image, "-v", installed+":/target", "-v", "/etc/shells:/etc/shells", image, "setuid"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if m := mode(); m != 0o755|os.ModeSetuid {
		t.Errorf("setuid: mode %v", m)
	}
	if got := c.Run("echo still $((40+2))"); got != "still 42" {
		t.Errorf("the live session: %q", got)
	}
	e2e.SSH(t, u, "echo again").Want(t, "again\n", "", 0)
	if b, _ := os.ReadFile("/etc/shells"); strings.Count(string(b), installed+"/dockersh\n") != 1 {
		t.Errorf("/etc/shells: %s", b)
	}
	files, err := os.ReadDir(installed)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	if !slices.Equal(names, []string{"dockersh", "dockersh.d", "dockershctl", "dockershd"}) {
		t.Errorf("%q", names)
	}

	// Another installation takes over: the container goes on with what it mounts, as long as
	// that is there, and then by a link, which the refusal and the doctor name.
	c.Line("exit")
	c.Wait()
	mine.Stop()
	e2e.OnHost(t, "chmod", "755", installed+"/dockersh") // which then asks the service
	if err := e2e.Broker.Start(); err != nil {
		t.Fatal(err)
	}
	container := u.Container(t)
	e2e.OnHost(t, "docker", "stop", "-t", "0", container)
	e2e.SSH(t, u, "echo other").Want(t, "other\n", "", 0)
	e2e.OnHost(t, "docker", "stop", "-t", "0", container)
	helpers := installed + "/dockersh.d/dockersh"
	e2e.OnHost(t, "rm", "-r", helpers)
	link := "ln -sT /run/dsh/libexec/dockersh " + helpers
	e2e.SSH(t, u, "true").Refused(t, link)
	if out, _, _ := e2e.Ctl(t, "doctor", "--no-login", u.Name); !strings.Contains(out, " helpers-gone") || !strings.Contains(out, link) {
		t.Errorf("doctor: %s", out)
	}
	e2e.OnHost(t, "sh", "-c", link)
	e2e.SSH(t, u, "echo linked").Want(t, "linked\n", "", 0)

	// The image removes what it installed.
	uninstall := []string{"-v", installed + ":/target", "-v", "/etc/shells:/etc/shells", "-v", units + ":/etc/systemd/system",
		"-v", rotate + ":/etc/logrotate.d", "-v", "/etc/passwd:/etc/passwd:ro", image, "uninstall"}
	if out, err := install(t, image, uninstall...); err == nil || !strings.Contains(out, u.Name) {
		t.Errorf("uninstall with a user: %v: %s", err, out)
	}
	e2e.OnHost(t, "usermod", "-s", "/bin/sh", u.Name)
	if out, err := install(t, image, uninstall...); err != nil {
		t.Errorf("uninstall: %v: %s", err, out)
	}
	for _, dir := range []string{installed, units, rotate} {
		if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
			t.Errorf("left in %s: %v %v", dir, files, err)
		}
	}
	if b, _ := os.ReadFile("/etc/shells"); strings.Contains(string(b), installed+"/dockersh\n") {
		t.Errorf("/etc/shells: %s", b)
	}
}

func TestTheInstallerImageRefusesWhatItCannotDo(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	image := installerImage(t, "dsh-debian")
	target := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		word string
	}{
		"nothing mounted": {[]string{image}, "nothing is mounted at /target"},
		"a wrong word":    {[]string{"-v", target + ":/target", image, "sevice"}, "usage:"},
		"not root":        {[]string{"-v", target + ":/target", "-u", "1000", image}, "only root"},
	} {
		if out, err := install(t, image, c.args...); err == nil || !strings.Contains(out, c.word) {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
	if files, err := os.ReadDir(target); err != nil || len(files) != 0 {
		t.Errorf("%v: %v", err, files)
	}
}
