//go:build e2e

package files

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// What an administrator forces counts in the container as it does on the host.
func TestForcedSFTPServerIsTheContainers(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		if u.OverExec() {
			t.Skip("the way of the command is the same")
		}
		remote, dir := fresh(t, u), t.TempDir()
		there(t, u, "echo text >%s/f", remote)
		write(t, dir+"/new", "x")
		for _, server := range []string{"/usr/lib/openssh/sftp-server -R -d " + remote, "/usr/lib/openssh/sftp-server -d " + remote + " -P open,write,mkdir,rename,posix-rename,remove"} {
			read := sftp(t, u, dir, "pwd\nls -1\n", "-s", server)
			if read.Status != 0 || !strings.Contains(read.Stdout, remote+"\n") || !strings.HasSuffix(read.Stdout, "f\n") {
				t.Errorf("%s: %+v", server, read)
			}
			for _, write := range []string{"put new", "mkdir d", "rename f g", "rm f"} {
				if r := sftp(t, u, dir, write+"\n", "-s", server); r.Status == 0 || !strings.Contains(r.Stderr, "ermission denied") {
					t.Errorf("%s: %s: %+v", server, write, r)
				}
			}
			if got := there(t, u, "ls %s", remote); got != "f\n" {
				t.Fatalf("%s: %q", server, got)
			}
		}
	})
}

// sshd hands internal-sftp to a forced command, which is dockersh.
func TestForcedDockershServesInternalSFTP(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	for _, u := range []*e2e.Account{e2e.Boxed, e2e.Tiny} {
		ssh := strings.Join(e2e.SSHArgv(u, "127.0.0.1", "internal-sftp", "-l", "INFO"), " ")
		r := run(t, t.TempDir(), "ls -1 /.dockersh\n", "/usr/bin/sftp", "-q", "-b", "-", "-D", ssh)
		if !strings.Contains(ok(t, r), "/.dockersh/dockersh-files\n") {
			t.Errorf("%q", r.Stdout)
		}
	}
}

func TestProgramThatTheImageLacksIsNamed(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	const why = ": install it there, or use an image that has it\n"
	u := e2e.Tiny
	for command, name := range map[string]string{"rsync --server -e.LsfxC . /tmp": "rsync", "git-upload-pack '/x'": "git-upload-pack", "borg serve": "borg"} {
		r := e2e.SSH(t, u, command)
		want := "dockersh: " + name + " cannot be started in the container " + u.Name + "_dockersh" + why
		if r.Status != 127 || r.Stdout != "" || strings.Count(r.Stderr, "\n") != 2 || !strings.HasSuffix(r.Stderr, want) {
			t.Errorf("%s: %+v", command, r)
		}
	}
	e2e.ForEachExecUser(t, func(t *testing.T, u *e2e.Account) {
		if e2e.SSH(t, u, "test -e /.dockersh/dockersh-files").Status == 0 {
			t.Skip("dockersh made this container")
		}
		r := e2e.SSH(t, u, "/usr/lib/openssh/sftp-server")
		if want := "dockersh: sftp-server cannot be started in the container hand-" + u.Name + why; r.Status != 127 || r.Stdout != "" || !strings.HasSuffix(r.Stderr, want) {
			t.Errorf("%+v", r)
		}
	})
}

// An image's own program is used, wherever it has it, and the shell runs it.
func TestImagesOwnProgramsAreUsed(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	script := "printf '#!/bin/sh\\necho own $0 \"$@\"\\n' | tee usr-sftp bin/scp >/dev/null; mkdir -p usr/libexec/openssh; mv usr-sftp usr/libexec/openssh/sftp-server; chmod 755 bin/scp usr/libexec/openssh/sftp-server"
	e2e.DockerImages.MakeImage(t, "dsh-own-files", script)
	u := e2e.NewUser(t, "imagename = dsh-own-files")
	e2e.SSH(t, u, "/usr/lib/openssh/sftp-server -e 'a  b'").Want(t, "own /usr/libexec/openssh/sftp-server -e a  b\n", "", 0)
	e2e.SSH(t, u, "internal-sftp -R").Want(t, "own /usr/libexec/openssh/sftp-server -R\n", "", 0)
	e2e.SSH(t, u, "scp -t x").Want(t, "own /bin/scp -t x\n", "", 0)
	e2e.SSH(t, u, "/usr/bin/scp -t x").Want(t, "own /bin/scp -t x\n", "", 0)
}
