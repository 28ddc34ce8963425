//go:build e2e

package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// mount mounts a directory of the account by sshfs, and returns the place.
func mount(t *testing.T, u *e2e.Account, remote string) string {
	t.Helper()
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
		t.Skip("this machine has no FUSE: ", err)
	} else {
		f.Close()
	}
	at := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	argv := []string{"-f", u.Name + "@127.0.0.1:" + remote, at, "-p", e2e.Port}
	for _, o := range []string{"IdentityFile=" + e2e.Scratch + "/key", "BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ssh_command=ssh -F none"} {
		argv = append(argv, "-o", o)
	}
	cmd := exec.CommandContext(ctx, "sshfs", argv...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = exec.Command("umount", "-l", at).Run()
		cancel()
		<-ended
	})
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if mounts, _ := os.ReadFile("/proc/self/mounts"); strings.Contains(string(mounts), " "+at+" fuse.sshfs ") {
			return at
		}
	}
	t.Fatalf("not mounted: %s", out.String())
	return ""
}

func TestSSHFS(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	forEachUser(t, func(t *testing.T, u *e2e.Account) {
		remote := fresh(t, u)
		at := mount(t, u, remote)
		write(t, at+"/f", strings.Repeat("x", 300_000))
		must(t, os.Rename(at+"/f", at+"/g"), os.Truncate(at+"/g", 1000), os.Mkdir(at+"/d", 0o700), os.Symlink("g", at+"/l"), os.Chmod(at+"/g", 0o640))
		write(t, at+"/h", "old")
		must(t, os.Rename(at+"/g", at+"/h")) // over a file that is there
		a, err := os.OpenFile(at+"/h", os.O_APPEND|os.O_WRONLY, 0)
		must(t, err)
		_, err = a.WriteString("end")
		must(t, err, a.Sync(), a.Close())
		if got := there(t, u, "cd %s; stat -c '%%n %%a %%s' d h; readlink l; tail -c 3 h", remote); got != "d 700 4096\nh 640 1003\ng\nend" {
			// A directory has another size in other file systems.
			if !strings.HasPrefix(got, "d 700 ") || !strings.HasSuffix(got, "\nh 640 1003\ng\nend") {
				t.Errorf("%q", got)
			}
		}
		must(t, os.Mkdir(at+"/many", 0o755))
		for i := range 1000 {
			write(t, fmt.Sprintf("%s/many/%d", at, i), fmt.Sprint(i))
		}
		entries, err := os.ReadDir(at + "/many")
		if err != nil || len(entries) != 1000 {
			t.Errorf("%d files, %v", len(entries), err)
		}
		if got := there(t, u, "cd %s/many; ls | wc -l; cat 999", remote); strings.TrimSpace(got) != "1000\n999" {
			t.Errorf("%q", got)
		}
		must(t, os.RemoveAll(at+"/many"))
	})
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

const paramikoScript = `
import paramiko, sys, stat
port, user, key, remote = sys.argv[1:]
c = paramiko.SSHClient()
c.set_missing_host_key_policy(paramiko.AutoAddPolicy())
c.connect('127.0.0.1', int(port), user, key_filename=key, look_for_keys=False, allow_agent=False)
s = c.open_sftp()
s.chdir(remote)
data = bytes(range(256)) * 4000
with s.open('f', 'wb') as f:
    f.set_pipelined(True)
    f.write(data)
with s.open('f', 'rb') as f:
    f.prefetch()
    assert f.read() == data
with s.open('f', 'ab') as f:
    f.write(b'end')
with s.open('f', 'r+b') as f:
    f.seek(10); f.write(b'XX'); f.truncate(1000)
assert s.stat('f').st_size == 1000
s.mkdir('d', 0o700); assert stat.S_IMODE(s.stat('d').st_mode) == 0o700
s.symlink('f', 'l'); assert s.readlink('l') == 'f'
assert stat.S_ISLNK(s.lstat('l').st_mode)
s.utime('f', (1, 2)); assert s.stat('f').st_mtime == 2
try:
    s.rename('f', 'l'); raise SystemExit('rename replaced a file')
except IOError: pass
s.posix_rename('f', 'g')
try:
    s.stat('f'); raise SystemExit('f is still there')
except FileNotFoundError: pass
s.rmdir('d'); s.remove('l')
assert sorted(s.listdir()) == ['g'], s.listdir()
assert s.normalize('.').endswith(remote.split('/')[-1])
print('done')
`

func TestParamiko(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	forEachUser(t, func(t *testing.T, u *e2e.Account) {
		out := ok(t, run(t, t.TempDir(), paramikoScript, "/usr/bin/python3", "-W", "ignore", "-", e2e.Port, u.Name, e2e.Scratch+"/key", fresh(t, u)))
		if out != "done\n" {
			t.Errorf("%q", out)
		}
	})
}

// PuTTY's own programs, which have another implementation of everything.
func TestPuTTYsPrograms(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	key := t.TempDir() + "/key.ppk"
	ok(t, run(t, "", "", "puttygen", e2e.Scratch+"/key", "-O", "private", "-o", key))
	hostKey, err := os.ReadFile(e2e.Scratch + "/hostkey.pub")
	must(t, err)
	fingerprint := strings.Fields(ok(t, run(t, "", string(hostKey), "ssh-keygen", "-lf", "-")))[1]
	options := []string{"-P", e2e.Port, "-i", key, "-batch", "-hostkey", fingerprint}
	forEachUser(t, func(t *testing.T, u *e2e.Account) {
		dir, remote := tree(t), fresh(t, u)
		must(t, os.Chmod(dir+"/tree/empty", 0o755)) // pscp sets no mode of directories
		t.Setenv("HOME", t.TempDir())
		for _, protocol := range []string{"-scp", "-sftp"} {
			pscp := func(args ...string) {
				t.Helper()
				r := run(t, dir, "", append(append([]string{"pscp", protocol, "-q"}, options...), args...)...)
				if r.Status != 0 {
					t.Fatalf("%s %q: %+v", protocol, args, r)
				}
			}
			at := u.Name + "@127.0.0.1:" + remote + "/" + protocol[1:]
			there(t, u, "mkdir %s/%s", remote, protocol[1:])
			must(t, os.Mkdir(dir+"/"+protocol, 0o755))
			pscp("-r", "-p", "tree", at)
			pscp("-r", "-p", at+"/tree", "./"+protocol)
			same(t, dir+"/"+protocol+"/tree", dir+"/tree", false)
		}
		write(t, dir+"/batch", "cd "+remote+"\nput tree/plain f\nmv f g\nget g copy\nchmod 600 g\nmkdir d\nrmdir d\nls\ndel g\n")
		r := run(t, dir, "", append(append([]string{"psftp"}, options...), "-b", "batch", u.Name+"@127.0.0.1")...)
		if b, err := os.ReadFile(dir + "/copy"); err != nil || string(b) != "this is plain\n" || r.Status != 0 {
			t.Errorf("%v, %+v", err, r)
		}
	})
}

func TestRsyncWhereTheImageHasIt(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	for _, u := range []*e2e.Account{e2e.Plain, e2e.Boxed} {
		t.Run(u.Name, func(t *testing.T) {
			dir, remote := tree(t), fresh(t, u)
			rsh := strings.Join(append([]string{"ssh"}, e2e.ClientOptions("p")...), " ")
			ok(t, run(t, dir, "", "rsync", "-a", "-e", rsh, "tree/", u.Name+"@127.0.0.1:"+remote+"/t"))
			ok(t, run(t, dir, "", "rsync", "-a", "-e", rsh, u.Name+"@127.0.0.1:"+remote+"/t/", "back"))
			same(t, dir+"/back", dir+"/tree", true)
		})
	}
}
