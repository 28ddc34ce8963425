//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A second engine, with its users remapped (dockerd's userns-remap).
const (
	remapSocket = "/run/remap.sock"
	remapFirst  = 200000 // uid and gid on the host of a container's root
	remapCount  = 65536
)

var remapOnce sync.Once

// remapEngine starts it, for the rest of the run. It has a network of its own: it
// would take the bridge of the other one away.
func remapEngine(t *testing.T) {
	t.Helper()
	remapOnce.Do(func() {
		run(t, "useradd", "-r", "-M", "-U", "-s", "/usr/sbin/nologin", "dshremap")
		for _, file := range []string{"/etc/subuid", "/etc/subgid"} {
			if err := os.WriteFile(file, []byte("other:100000:65536\ndshremap:200000:65536\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		apart := os.Getenv("APART")
		engine := daemon{
			name: "remap",
			argv: []string{"unshare", "--net", "dockerd", "--userns-remap=dshremap", "-H", "unix://" + remapSocket, "--data-root", apart + "/remap",
				"--exec-root", "/run/remap", "--pidfile", "/run/remap.pid", "--iptables=false", "--ip6tables=false",
				"--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent=/" + filepath.Base(apart)},
			ready: func() bool { return exec.Command("docker", "-H", "unix://"+remapSocket, "version").Run() == nil },
		}
		if err := engine.start(); err != nil {
			t.Fatal(err)
		}
	})
	for _, image := range []string{"busybox", "debian"} {
		if exec.Command("docker", "-H", "unix://"+remapSocket, "image", "inspect", "dsh-"+image).Run() != nil {
			remapDocker(t, "import", os.Getenv("REPO")+"/build/images/"+image+".tar", "dsh-"+image)
		}
	}
}

// remapDocker is a docker command at that engine.
func remapDocker(t testing.TB, args ...string) string {
	t.Helper()
	return run(t, append([]string{"docker", "-H", "unix://" + remapSocket}, args...)...)
}

// newRemapped is a new user whose containers are that engine's.
func newRemapped(t *testing.T, lines ...string) *account {
	t.Helper()
	remapEngine(t)
	u := newBoxed(t, append([]string{"dockersocket = " + remapSocket, "imagename = dsh-debian", "shell = /bin/bash", "pull = never"}, lines...)...)
	t.Cleanup(func() {
		for _, id := range strings.Fields(remapDocker(t, "ps", "-aq", "--filter", "label=dockersh.user="+u.name)) {
			remapDocker(t, "rm", "-f", id)
		}
	})
	return u
}

// statusOf gives one field of /proc/PID/status, as the host sees the process.
func statusOf(t testing.TB, cmdline, field string) string {
	t.Helper()
	pid := run(t, "pgrep", "-f", "-o", cmdline)
	for line := range strings.Lines(run(t, "cat", "/proc/"+pid+"/status")) {
		if v, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.Join(strings.Fields(v), " ")
		}
	}
	t.Fatalf("no %s in the status of %q", field, cmdline)
	return ""
}

// owner is "uid gid mode" of a file of the host.
func owner(t testing.TB, path string) string {
	t.Helper()
	return run(t, "stat", "-c", "%u %g %a", path)
}

func TestUserNamespacesIdentityAndHome(t *testing.T) {
	u := newRemapped(t, "mounthome")
	u.join(t, "dshteam")
	team := strings.Split(run(t, "getent", "group", "dshteam"), ":")[2]
	u.file(t, "mine", "mine\n", 0o600)
	u.file(t, "ours", "ours\n", 0o660)
	run(t, "chown", "0:"+team, u.home+"/ours")
	ids := fmt.Sprintf("%d %d", u.uid, u.gid)
	ssh(t, u, "whoami; id -u; id -g; id -Gn; stat -c '%u %g' ~; cat ~/mine ~/ours; umask 027; echo x >~/new; stat -c '%u %g' ~/new").
		want(t, fmt.Sprintf("%s\n%d\n%d\n%s dshteam\n%s\nmine\nours\n%s\n", u.name, u.uid, u.gid, u.name, ids, ids), "", 0)
	if got, want := owner(t, u.home+"/new"), ids+" 640"; got != want {
		t.Errorf("the file made inside is %s on the host, want %s", got, want)
	}
	// Another group of his is as good inside as outside.
	ssh(t, u, "chgrp dshteam ~/new; cat /proc/self/uid_map").
		want(t, fmt.Sprintf("%10d %10d %10d\n", 0, remapFirst, remapCount), "", 0)
	if got, want := owner(t, u.home+"/new"), fmt.Sprintf("%d %s 640", u.uid, team); got != want {
		t.Errorf("after chgrp the file is %s on the host, want %s", got, want)
	}
	c := sshConsole(t, u)
	c.login()
	c.line("exec sleep 32101")
	eventually(t, "the session's process", func() bool { return exec.Command("pgrep", "-f", "sleep 32101").Run() == nil })
	want := strings.TrimSpace(strings.Repeat(fmt.Sprintf("%d ", remapFirst+u.uid), 4))
	if got := statusOf(t, "^sleep 32101", "Uid"); got != want {
		t.Errorf("on the host it has the uids %s, want %s", got, want)
	}
}

func TestUserNamespacesSessions(t *testing.T) {
	u := newRemapped(t)
	ssh(t, u, "stat -c '%u %a' ~ /etc/passwd /; echo x >~/f && cat ~/f").want(t, fmt.Sprintf("%d 755\n0 644\n0 755\nx\n", u.uid), "", 0)
	ssh(t, u, "echo out; echo err >&2; exit 7").want(t, "out\n", "err\n", 7)
	data := strings.Repeat("\x00\r\n\xff0123456789", 100_000)
	if r := sshInput(t, u, strings.NewReader(data), "cat"); r.stdout != data || r.status != 0 {
		t.Errorf("%d bytes came back of %d, status %d, %s", len(r.stdout), len(data), r.status, r.stderr)
	}
	c := sshConsole(t, u)
	c.login()
	if got := c.run("tty; stat -c %u $(tty)"); got != "/dev/pts/0\r\n"+strconv.Itoa(u.uid) && got != "/dev/pts/0\n"+strconv.Itoa(u.uid) {
		t.Errorf("terminal %q", got)
	}
	c.line("exit 9")
	if status := c.wait(); status != 9 {
		t.Errorf("status %d", status)
	}
}

func TestUserNamespacesSharedContainer(t *testing.T) {
	a := newRemapped(t, "containername = dsh-remapclass")
	b := newRemapped(t, "containername = dsh-remapclass")
	ssh(t, a, "whoami; umask 022; echo a >/tmp/of-a").want(t, a.name+"\n", "", 0)
	r := ssh(t, b, "whoami; id -u; stat -c '%U %u' /tmp/of-a; echo b >>/tmp/of-a")
	want := fmt.Sprintf("%s\n%d\n%s %d\n", b.name, b.uid, a.name, a.uid)
	if r.stdout != want || r.status == 0 {
		t.Errorf("%q, status %d; want %q and no right to write: %s", r.stdout, r.status, want, r.stderr)
	}
}

func TestUserNamespacesOtherContainerUsers(t *testing.T) {
	// Whoever the container user is, the home is his inside and the user's outside.
	for name, inside := range map[string]int{"4321:4322": 4321, "root": 0, "4323": 4323} {
		t.Run(name, func(t *testing.T) {
			u := newRemapped(t, "mounthome", "containerusername = "+name)
			ssh(t, u, "id -u; stat -c %u ~; echo x >~/f; cp /bin/true ~/s; chmod u+s ~/s; stat -c %u ~/f").
				want(t, fmt.Sprintf("%d\n%d\n%d\n", inside, inside, inside), "", 0)
			if got, want := owner(t, u.home+"/s"), fmt.Sprintf("%d %d 4755", u.uid, u.gid); got != want {
				t.Errorf("on the host the setuid file is %s, want %s", got, want)
			}
			c := sshConsole(t, u)
			c.login()
			mark := strconv.Itoa(32200 + inside)
			c.line("exec sleep " + mark)
			eventually(t, "the session's process", func() bool { return exec.Command("pgrep", "-f", "^sleep "+mark).Run() == nil })
			want := strings.TrimSpace(strings.Repeat(fmt.Sprintf("%d ", remapFirst+inside), 4))
			if got := statusOf(t, "^sleep "+mark, "Uid"); got != want {
				t.Errorf("on the host the process has the uids %s, want %s", got, want)
			}
		})
	}
}

func TestUserNamespacesEntrypointOfItsOwn(t *testing.T) {
	u := newRemapped(t, "mounthome", "entrypoint = /bin/sleep", "cmd = 32300")
	ssh(t, u, "whoami; cat /proc/1/comm; echo x >~/f; stat -c %u ~/f").want(t, fmt.Sprintf("%s\nsleep\n%d\n", u.name, u.uid), "", 0)
	ssh(t, u, "echo again").want(t, "again\n", "", 0)
}

// remapped is the id of the account's only container in that engine.
func (a *account) remapped(t testing.TB) string {
	t.Helper()
	return remapDocker(t, "ps", "-aq", "--filter", "label=dockersh.user="+a.name)
}

func TestUserNamespacesContainerIsStartedAgain(t *testing.T) {
	u := newRemapped(t, "mounthome")
	ssh(t, u, "echo kept >/var/tmp/f; echo kept >~/f").want(t, "", "", 0)
	id := u.remapped(t)
	remapDocker(t, "stop", "-t", "1", id)
	ssh(t, u, "cat /var/tmp/f ~/f; stat -c %u ~").want(t, fmt.Sprintf("kept\nkept\n%d\n", u.uid), "", 0)

	// As after a reboot: nothing is left in /run.
	remapDocker(t, "stop", "-t", "1", id)
	broker.stop()
	run(t, "rm", "-rf", runDir+"/c")
	if err := broker.start(); err != nil {
		t.Fatal(err)
	}
	ssh(t, u, "cat /var/tmp/f ~/f; stat -c %u ~").want(t, fmt.Sprintf("kept\nkept\n%d\n", u.uid), "", 0)

	// Started by hand it would have no home: rather it does not start.
	remapDocker(t, "stop", "-t", "1", id)
	if out, err := exec.Command("docker", "-H", "unix://"+remapSocket, "start", id).CombinedOutput(); err == nil {
		t.Errorf("it came up without a home: %s", out)
	}
	ssh(t, u, "cat ~/f").want(t, "kept\n", "", 0)
	if out := run(t, "cat", "/proc/mounts"); strings.Contains(out, runDir) {
		t.Errorf("a mount is left:\n%s", out)
	}
}

func TestUserNamespacesRootInsideLeavesNothingOfRootsOutside(t *testing.T) {
	u := newRemapped(t, "mounthome", "nonewprivileges = false", "capadd = SETUID", "capadd = SETGID", "capadd = MKNOD")
	u.file(t, "secret", "secret\n", 0o600)
	run(t, "chown", "0:0", u.home+"/secret")
	ssh(t, u, "true").want(t, "", "", 0)
	id := u.remapped(t)
	asRoot := func(command string) string {
		out, err := exec.Command("docker", "-H", "unix://"+remapSocket, "exec", "-u", "0:0", id, "/bin/sh", "-c", "cd "+u.home+"; "+command).CombinedOutput()
		if err == nil {
			t.Errorf("root inside could: %s", command)
		}
		return string(out)
	}
	for _, command := range []string{
		"cp /bin/true own", // a new file of root's
		"mkdir own",
		"mknod own c 1 3",
		"ln -s /etc/shadow own",
		"cp /bin/true /tmp/own && mv /tmp/own own",
		"chown 0:0 .",
		"chown 65534:65534 .",
		"cat secret",
		"echo x >>secret",
		"chown %d secret",
		"chmod 777 secret",
	} {
		if strings.Contains(command, "%d") {
			command = fmt.Sprintf(command, u.uid)
		}
		asRoot(command)
	}
	if got := owner(t, u.home+"/secret"); got != "0 0 600" {
		t.Errorf("root's file is now %s", got)
	}
	if out := run(t, "find", u.home, "-uid", "0", "!", "-name", "secret"); out != "" {
		t.Errorf("root's on the host: %s", out)
	}
	// Not even as a set-id file that the user gives away.
	ssh(t, u, "cp /bin/true ~/t; chmod 6755 ~/t").want(t, "", "", 0)
	asRoot("chown 0 t")
	asRoot("chgrp 0 t")
	if got, want := owner(t, u.home+"/t"), fmt.Sprintf("%d %d 6755", u.uid, u.gid); got != want {
		t.Errorf("it is %s on the host, want %s", got, want)
	}
}

func TestUserNamespacesNumberThatIsNotThere(t *testing.T) {
	for _, home := range []string{"mounthome", "mounthome = false"} {
		u := newRemapped(t, home)
		number(t, u, 70000)
		ssh(t, u, "true").refused(t, "no user 70000", "/etc/subuid")
		number(t, u, u.uid)
		if id := u.remapped(t); id != "" {
			t.Errorf("left: %s", id)
		}
	}
}

// number changes the account's uid; usermod refuses while a process of his is
// just ending.
func number(t *testing.T, u *account, uid int) {
	t.Helper()
	var out []byte
	if !within(limit, func() bool {
		var err error
		out, err = exec.Command("usermod", "-u", strconv.Itoa(uid), u.name).CombinedOutput()
		return err == nil
	}) {
		t.Fatalf("%s%s", out, run(t, "sh", "-c", "ps -eo uid,pid,ppid,comm --no-headers | grep '^ *"+strconv.Itoa(u.uid)+" ' || :"))
	}
}

func TestUserNamespacesFileSystemThatCannot(t *testing.T) {
	u := newRemapped(t, "mounthome", "mounthomefrom = /srv/overlay/%u")
	for _, dir := range []string{"/srv/overlay", "/srv/lower", "/srv/upper", "/srv/work"} {
		run(t, "mkdir", "-p", dir)
	}
	run(t, "mount", "-t", "tmpfs", "x", "/srv/upper")
	t.Cleanup(func() { run(t, "umount", "/srv/upper") })
	run(t, "mkdir", "/srv/upper/u", "/srv/upper/w")
	run(t, "mount", "-t", "overlay", "x", "-o", "lowerdir=/srv/lower,upperdir=/srv/upper/u,workdir=/srv/upper/w", "/srv/overlay")
	t.Cleanup(func() { run(t, "umount", "/srv/overlay") })
	run(t, "install", "-d", "-o", u.name, "/srv/overlay/"+u.name)
	ssh(t, u, "true").refused(t, "/srv/overlay/"+u.name, "idmapped")
	if id := u.remapped(t); id != "" {
		t.Errorf("left: %s", id)
	}
}

func TestUserNamespacesSwitchedOffForOneContainer(t *testing.T) {
	u := newRemapped(t, "mounthome", "dockeropt = --userns=host")
	ssh(t, u, "stat -c %u ~; echo x >~/f; head -n 1 /proc/self/uid_map | tr -s ' '").want(t, fmt.Sprintf("%d\n 0 0 4294967295\n", u.uid), "", 0)
	if got, want := owner(t, u.home+"/f"), fmt.Sprintf("%d %d 644", u.uid, u.gid); got != want {
		t.Errorf("on the host %s, want %s", got, want)
	}
}

func TestUserNamespacesBrokerWithMountsOfItsOwn(t *testing.T) {
	// As systemd starts it (ProtectSystem and others), with the host's mounts shared.
	u := newRemapped(t, "mounthome")
	run(t, "mount", "--make-rshared", "/")
	t.Cleanup(func() { run(t, "mount", "--make-rprivate", "/") })
	broker.stop()
	plain := broker.argv
	broker.argv = append([]string{"unshare", "--mount", "--propagation", "slave", "sh", "-c",
		`mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"`, runDir}, plain...)
	t.Cleanup(func() {
		broker.stop()
		broker.argv = plain
		if err := broker.start(); err != nil {
			t.Error(err)
		}
	})
	if err := broker.start(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		ssh(t, u, "stat -c %u ~; echo x >~/f; stat -c %u ~/f").want(t, fmt.Sprintf("%d\n%d\n", u.uid, u.uid), "", 0)
		if out := run(t, "cat", "/proc/mounts"); strings.Contains(out, runDir) {
			t.Errorf("a mount is left:\n%s", out)
		}
		remapDocker(t, "stop", "-t", "1", u.remapped(t))
	}
}

func TestUserNamespacesTmpAndSocketOfTheHost(t *testing.T) {
	u := newRemapped(t, "mounttmp", "mountdockersocket")
	t.Cleanup(func() { run(t, "rm", "-f", "/tmp/"+u.name) })
	r := ssh(t, u, "umask 022; echo x >/tmp/"+u.name+"; stat -c %u /tmp/"+u.name+" /tmp /var/run/docker.sock; test -w /var/run/docker.sock")
	if want := fmt.Sprintf("%d\n65534\n65534\n", u.uid); r.stdout != want || r.status != 1 {
		t.Errorf("%q, status %d; want %q and a socket that is not for him: %s", r.stdout, r.status, want, r.stderr)
	}
	if got, want := owner(t, "/tmp/"+u.name), fmt.Sprintf("%d %d 644", remapFirst+u.uid, remapFirst+u.gid); got != want {
		t.Errorf("on the host %s, want %s", got, want)
	}
}

func TestUserNamespacesAreExplained(t *testing.T) {
	u := newRemapped(t, "mounthome")
	out := run(t, prefix+"/bin/dockershctl", "explain", u.name)
	for _, want := range []string{"200000", "source=" + runDir + "/c/" + u.name + "_dockersh/home", fmt.Sprintf("u%d=%d", u.uid, u.uid), u.home} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
