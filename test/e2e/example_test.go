//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// example puts one of the example settings files in the place of the settings
// for the length of the test. They name images as people know them.
func example(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(os.Getenv("REPO"), "docs/examples", name+".dockershrc"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, "docker", "tag", "dsh-debian", "debian:12")
	withSettings(t, string(text))
}

func TestExampleUniversity(t *testing.T) {
	a, b := newBoxed(t), newBoxed(t)
	b.join(t, "datascience")
	if err := os.MkdirAll("/srv/data", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, u := range []*account{a, b} {
		home := "/srv/homes/" + u.name
		run(t, "install", "-d", "-o", u.name, "-g", u.name, home)
		t.Cleanup(func() { os.RemoveAll(home) })
	}
	example(t, "university")
	ssh(t, a, "echo $SHELL; echo work >~/paper; test -e /data || echo none").want(t, "/bin/bash\nnone\n", "", 0)
	if got := run(t, "cat", "/srv/homes/"+a.name+"/paper"); got != "work" {
		t.Errorf("%q", got)
	}
	ssh(t, b, "test -d /data && ! touch /data/x 2>/dev/null && echo read-only").want(t, "read-only\n", "", 0)
	if got := inspect(t, a.container(t), "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}"); got != "2147483648 512" {
		t.Errorf("%s", got)
	}
	if got := inspect(t, b.container(t), "{{.HostConfig.Memory}}"); got != "17179869184" {
		t.Errorf("%s", got)
	}
	a.file(t, ".dockersh", "[dockersh]\nusercwd = /tmp\n", 0o644)
	ssh(t, a, "pwd").want(t, "/tmp\n", "", 0)
	c := sshConsole(t, a)
	c.expect("Unix lab")
}

func TestExampleClassroom(t *testing.T) {
	privileged(t, "several users in one container")
	trainer := newBoxed(t)
	trainer.join(t, "trainers")
	trainees := []*account{newBoxed(t), newBoxed(t), newBoxed(t)}
	example(t, "classroom")
	t.Cleanup(func() { run(t, "docker", "rm", "-f", "classroom") })
	for _, u := range trainees {
		ssh(t, u, "whoami; hostname; pwd; echo hello >/tmp/from-$(whoami)").want(t, u.name+"\nclassroom\n/tmp\n", "", 0)
	}
	ssh(t, trainer, "whoami; ls /tmp/from-* | wc -l; rm /tmp/from-*").want(t, "root\n3\n", "", 0)
	if r := ssh(t, trainees[0], "ls /tmp"); strings.Contains(r.stdout, "from-") {
		t.Errorf("%q", r.stdout)
	}
	if got := run(t, "docker", "ps", "-aq", "--filter", "name=classroom"); strings.Contains(got, "\n") {
		t.Errorf("more than one container: %q", got)
	}
}

func TestExampleJumphost(t *testing.T) {
	u := newUser(t, "/bin/bash")
	u.join(t, forced)
	keeper := newUser(t, "/bin/bash")
	keeper.join(t, forced)
	keeper.join(t, "hostadmins")
	example(t, "jumphost")
	ssh(t, u, "-o", "SetEnv=LC_TIME=x", "--", "hostname; echo $LC_TIME; grep CapBnd /proc/self/status").
		want(t, "jump\n\nCapBnd:\t0000000000000000\n", "", 0)
	ssh(t, keeper, "cat /proc/sys/kernel/hostname").want(t, "apart\n", "", 0)
	c := sshConsole(t, u)
	c.expect("Jump host")
}
