//go:build e2e

package engines

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// An engine that remaps users (userns-remap of dockerd).
const (
	remapSocket = "/run/remap.sock"
	remapFirst  = 200000 // uid and gid on the host of root in a container
	remapCount  = 65536
)

// remapped is that engine. It has its own network, as it would remove the bridge of the
// first engine.
var remapped = e2e.EngineOnce(func() error {
	if out, err := exec.Command("useradd", "-r", "-M", "-U", "-s", "/usr/sbin/nologin", "dshremap").CombinedOutput(); err != nil {
		return fmt.Errorf("useradd: %w: %s", err, out)
	}
	for _, file := range []string{"/etc/subuid", "/etc/subgid"} {
		if err := os.WriteFile(file, []byte("other:100000:65536\ndshremap:200000:65536\n"), 0o644); err != nil {
			return err
		}
	}
	apart := os.Getenv("APART")
	docker := func(args ...string) error {
		return e2e.TryDocker(append([]string{"-H", "unix://" + remapSocket}, args...)...)
	}
	daemon := e2e.Daemon{
		Name: "remap",
		Argv: []string{"unshare", "--net", "dockerd", "--userns-remap=dshremap", "-H", "unix://" + remapSocket, "--data-root", apart + "/remap",
			"--exec-root", "/run/remap", "--pidfile", "/run/remap.pid", "--iptables=false", "--ip6tables=false",
			"--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent=/" + filepath.Base(apart)},
		Ready: func() bool { return docker("version") == nil },
	}
	if err := daemon.Start(); err != nil {
		return err
	}
	for _, image := range []string{"busybox", "debian"} {
		if err := docker("import", e2e.ImageTar(image), "dsh-"+image); err != nil {
			return err
		}
	}
	return nil
})

// remapDocker runs docker with that engine, which must succeed.
func remapDocker(t testing.TB, args ...string) string {
	t.Helper()
	return e2e.OnHost(t, append([]string{"docker", "-H", "unix://" + remapSocket}, args...)...)
}

// newRemapped adds a user whose containers are on that engine.
func newRemapped(t *testing.T, lines ...string) *e2e.Account {
	t.Helper()
	u := e2e.NewUser(t, append([]string{"dockersocket = " + remapSocket, "imagename = dsh-debian", "shell = /bin/bash", "pull = never"}, lines...)...)
	t.Cleanup(func() {
		for _, id := range strings.Fields(remapDocker(t, "ps", "-aq", "--filter", "label=dockersh.user="+u.Name)) {
			remapDocker(t, "rm", "-f", id)
		}
	})
	return u
}

// statusOf returns one field of /proc/PID/status on the host.
func statusOf(t testing.TB, cmdline, field string) string {
	t.Helper()
	pid := e2e.OnHost(t, "pgrep", "-f", "-o", cmdline)
	for line := range strings.Lines(e2e.OnHost(t, "cat", "/proc/"+pid+"/status")) {
		if v, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.Join(strings.Fields(v), " ")
		}
	}
	t.Fatalf("no %s in the status of %q", field, cmdline)
	return ""
}

// owner returns "uid gid mode" of a file on the host.
func owner(t testing.TB, path string) string {
	t.Helper()
	return e2e.OnHost(t, "stat", "-c", "%u %g %a", path)
}

func TestStdioCanBeOpenedAgainInAUserNamespace(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	for _, who := range []string{"%u", "nobody", "root"} {
		u := newRemapped(t, "usercwd = /", "containerusername = "+who)
		e2e.SSHInput(t, u, strings.NewReader("in\n"), "cat /dev/stdin; echo err >/dev/stderr; echo out >/dev/stdout").Want(t, "in\nout\n", "err\n", 0)
	}
}

func TestUserNamespacesKeepIdentityAndHome(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	u := newRemapped(t, "mounthome")
	u.Join(t, "dshteam")
	team := strings.Split(e2e.OnHost(t, "getent", "group", "dshteam"), ":")[2]
	u.WriteFile(t, "mine", "mine\n", 0o600)
	u.WriteFile(t, "ours", "ours\n", 0o660)
	e2e.OnHost(t, "chown", "0:"+team, u.Home+"/ours")
	ids := fmt.Sprintf("%d %d", u.UID, u.GID)
	e2e.SSH(t, u, "whoami; id -u; id -g; id -Gn; stat -c '%u %g' ~; cat ~/mine ~/ours; umask 027; echo x >~/new; stat -c '%u %g' ~/new").
		Want(t, fmt.Sprintf("%s\n%d\n%d\n%s dshteam\n%s\nmine\nours\n%s\n", u.Name, u.UID, u.GID, u.Name, ids, ids), "", 0)
	if got, want := owner(t, u.Home+"/new"), ids+" 640"; got != want {
		t.Errorf("the file made inside is %s on the host, want %s", got, want)
	}
	// The user's other groups are the same inside and outside.
	e2e.SSH(t, u, "chgrp dshteam ~/new; cat /proc/self/uid_map").
		Want(t, fmt.Sprintf("%10d %10d %10d\n", 0, remapFirst, remapCount), "", 0)
	if got, want := owner(t, u.Home+"/new"), fmt.Sprintf("%d %s 640", u.UID, team); got != want {
		t.Errorf("after chgrp the file is %s on the host, want %s", got, want)
	}
	c := e2e.SSHConsole(t, u)
	c.FirstPrompt()
	c.Line("exec sleep 32101")
	e2e.Eventually(t, "the session's process", func() bool { return exec.Command("pgrep", "-f", "sleep 32101").Run() == nil })
	want := strings.TrimSpace(strings.Repeat(fmt.Sprintf("%d ", remapFirst+u.UID), 4))
	if got := statusOf(t, "^sleep 32101", "Uid"); got != want {
		t.Errorf("on the host it has the uids %s, want %s", got, want)
	}
}

func TestUserNamespacesRunSessions(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	u := newRemapped(t)
	e2e.SSH(t, u, "stat -c '%u %a' ~ /etc/passwd /; echo x >~/f && cat ~/f").Want(t, fmt.Sprintf("%d 755\n0 644\n0 755\nx\n", u.UID), "", 0)
	e2e.SSH(t, u, "echo out; echo err >&2; exit 7").Want(t, "out\n", "err\n", 7)
	data := strings.Repeat("\x00\r\n\xff0123456789", 100_000)
	if r := e2e.SSHInput(t, u, strings.NewReader(data), "cat"); r.Stdout != data || r.Status != 0 {
		t.Errorf("%d bytes came back of %d, status %d, %s", len(r.Stdout), len(data), r.Status, r.Stderr)
	}
	c := e2e.SSHConsole(t, u)
	c.FirstPrompt()
	if got := c.Run("tty; stat -c %u $(tty)"); got != "/dev/pts/0\r\n"+strconv.Itoa(u.UID) && got != "/dev/pts/0\n"+strconv.Itoa(u.UID) {
		t.Errorf("terminal %q", got)
	}
	c.Line("exit 9")
	if status := c.Wait(); status != 9 {
		t.Errorf("status %d", status)
	}
}

func TestUserNamespacesSharedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	a := newRemapped(t, "containername = dsh-remapclass")
	b := newRemapped(t, "containername = dsh-remapclass")
	e2e.SSH(t, a, "whoami; umask 022; echo a >/tmp/of-a").Want(t, a.Name+"\n", "", 0)
	r := e2e.SSH(t, b, "whoami; id -u; stat -c '%U %u' /tmp/of-a; echo b >>/tmp/of-a")
	want := fmt.Sprintf("%s\n%d\n%s %d\n", b.Name, b.UID, a.Name, a.UID)
	if r.Stdout != want || r.Status == 0 {
		t.Errorf("%q, status %d; want %q and no right to write: %s", r.Stdout, r.Status, want, r.Stderr)
	}
}

func TestUserNamespacesOtherContainerUsers(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	// The home belongs to the container user inside, and to the user outside.
	for name, inside := range map[string]int{"4321:4322": 4321, "root": 0, "4323": 4323} {
		t.Run(name, func(t *testing.T) {
			u := newRemapped(t, "mounthome", "containerusername = "+name)
			e2e.SSH(t, u, "id -u; stat -c %u ~; echo x >~/f; cp /bin/true ~/s; chmod u+s ~/s; stat -c %u ~/f").
				Want(t, fmt.Sprintf("%d\n%d\n%d\n", inside, inside, inside), "", 0)
			if got, want := owner(t, u.Home+"/s"), fmt.Sprintf("%d %d 4755", u.UID, u.GID); got != want {
				t.Errorf("on the host the setuid file is %s, want %s", got, want)
			}
			c := e2e.SSHConsole(t, u)
			c.FirstPrompt()
			mark := strconv.Itoa(32200 + inside)
			c.Line("exec sleep " + mark)
			e2e.Eventually(t, "the session's process", func() bool { return exec.Command("pgrep", "-f", "^sleep "+mark).Run() == nil })
			want := strings.TrimSpace(strings.Repeat(fmt.Sprintf("%d ", remapFirst+inside), 4))
			if got := statusOf(t, "^sleep "+mark, "Uid"); got != want {
				t.Errorf("on the host the process has the uids %s, want %s", got, want)
			}
		})
	}
}

func TestUserNamespacesWithTheContainersOwnEntrypoint(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	u := newRemapped(t, "mounthome", "entrypoint = /bin/sleep", "cmd = 32300")
	e2e.SSH(t, u, "whoami; cat /proc/1/comm; echo x >~/f; stat -c %u ~/f").Want(t, fmt.Sprintf("%s\nsleep\n%d\n", u.Name, u.UID), "", 0)
	e2e.SSH(t, u, "echo again").Want(t, "again\n", "", 0)
}

// remappedContainer returns the id of the account's only container on that engine.
func remappedContainer(t testing.TB, a *e2e.Account) string {
	t.Helper()
	return remapDocker(t, "ps", "-aq", "--filter", "label=dockersh.user="+a.Name)
}

func TestUserNamespacesContainerIsStartedAgain(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	u := newRemapped(t, "mounthome")
	e2e.SSH(t, u, "echo kept >/var/tmp/f; echo kept >~/f").Want(t, "", "", 0)
	id := remappedContainer(t, u)
	remapDocker(t, "stop", "-t", "1", id)
	e2e.SSH(t, u, "cat /var/tmp/f ~/f; stat -c %u ~").Want(t, fmt.Sprintf("kept\nkept\n%d\n", u.UID), "", 0)

	// After a reboot /run is empty.
	remapDocker(t, "stop", "-t", "1", id)
	e2e.Broker.Stop()
	e2e.OnHost(t, "rm", "-rf", e2e.RunDir+"/c")
	if err := e2e.Broker.Start(); err != nil {
		t.Fatal(err)
	}
	e2e.SSH(t, u, "cat /var/tmp/f ~/f; stat -c %u ~").Want(t, fmt.Sprintf("kept\nkept\n%d\n", u.UID), "", 0)

	// Started by hand it would have no home, so it does not start.
	remapDocker(t, "stop", "-t", "1", id)
	if out, err := exec.Command("docker", "-H", "unix://"+remapSocket, "start", id).CombinedOutput(); err == nil {
		t.Errorf("it came up without a home: %s", out)
	}
	e2e.SSH(t, u, "cat ~/f").Want(t, "kept\n", "", 0)
	if out := e2e.OnHost(t, "cat", "/proc/mounts"); strings.Contains(out, e2e.RunDir) {
		t.Errorf("a mount is left:\n%s", out)
	}
}

func TestUserNamespacesRootInsideLeavesNoRootFilesOutside(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	u := newRemapped(t, "mounthome", "nonewprivileges = false", "capadd = SETUID", "capadd = SETGID", "capadd = MKNOD")
	u.WriteFile(t, "secret", "secret\n", 0o600)
	e2e.OnHost(t, "chown", "0:0", u.Home+"/secret")
	e2e.SSH(t, u, "true").Want(t, "", "", 0)
	id := remappedContainer(t, u)
	asRoot := func(command string) string {
		out, err := exec.Command("docker", "-H", "unix://"+remapSocket, "exec", "-u", "0:0", id, "/bin/sh", "-c", "cd "+u.Home+"; "+command).CombinedOutput()
		if err == nil {
			t.Errorf("root inside could: %s", command)
		}
		return string(out)
	}
	for _, command := range []string{
		"cp /bin/true own", // a new file that root owns
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
			command = fmt.Sprintf(command, u.UID)
		}
		asRoot(command)
	}
	if got := owner(t, u.Home+"/secret"); got != "0 0 600" {
		t.Errorf("root's file is now %s", got)
	}
	if out := e2e.OnHost(t, "find", u.Home, "-uid", "0", "!", "-name", "secret"); out != "" {
		t.Errorf("root owns on the host: %s", out)
	}
	// Nor does a set-id file of the user become root's.
	e2e.SSH(t, u, "cp /bin/true ~/t; chmod 6755 ~/t").Want(t, "", "", 0)
	asRoot("chown 0 t")
	asRoot("chgrp 0 t")
	if got, want := owner(t, u.Home+"/t"), fmt.Sprintf("%d %d 6755", u.UID, u.GID); got != want {
		t.Errorf("it is %s on the host, want %s", got, want)
	}
}

func TestUserNamespacesRefuseAnUnmappedNumber(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	for _, home := range []string{"mounthome", "mounthome = false"} {
		u := newRemapped(t, home)
		changeUID(t, u, 70000)
		e2e.SSH(t, u, "true").Refused(t, "no user 70000", "/etc/subuid")
		changeUID(t, u, u.UID)
		if id := remappedContainer(t, u); id != "" {
			t.Errorf("left: %s", id)
		}
	}
}

// changeUID changes the account's uid. usermod refuses while a process of the account is
// ending.
func changeUID(t *testing.T, u *e2e.Account, uid int) {
	t.Helper()
	var out []byte
	if !e2e.Within(e2e.Limit, func() bool {
		var err error
		out, err = exec.Command("usermod", "-u", strconv.Itoa(uid), u.Name).CombinedOutput()
		return err == nil
	}) {
		t.Fatalf("%s%s", out, e2e.OnHost(t, "sh", "-c", "ps -eo uid,pid,ppid,comm --no-headers | grep '^ *"+strconv.Itoa(u.UID)+" ' || :"))
	}
}

func TestUserNamespacesRefuseAFileSystemWithoutIDMappedMounts(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	u := newRemapped(t, "mounthome", "mounthomefrom = /srv/overlay/%u")
	for _, dir := range []string{"/srv/overlay", "/srv/lower", "/srv/upper", "/srv/work"} {
		e2e.OnHost(t, "mkdir", "-p", dir)
	}
	e2e.OnHost(t, "mount", "-t", "tmpfs", "x", "/srv/upper")
	t.Cleanup(func() { e2e.OnHost(t, "umount", "/srv/upper") })
	e2e.OnHost(t, "mkdir", "/srv/upper/u", "/srv/upper/w")
	e2e.OnHost(t, "mount", "-t", "overlay", "x", "-o", "lowerdir=/srv/lower,upperdir=/srv/upper/u,workdir=/srv/upper/w", "/srv/overlay")
	t.Cleanup(func() { e2e.OnHost(t, "umount", "/srv/overlay") })
	e2e.OnHost(t, "install", "-d", "-o", u.Name, "/srv/overlay/"+u.Name)
	e2e.SSH(t, u, "true").Refused(t, "/srv/overlay/"+u.Name, "idmapped")
	if id := remappedContainer(t, u); id != "" {
		t.Errorf("left: %s", id)
	}
}

func TestUserNamespacesSwitchedOffForOneContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	u := newRemapped(t, "mounthome", "dockeropt = --userns=host")
	e2e.SSH(t, u, "stat -c %u ~; echo x >~/f; head -n 1 /proc/self/uid_map | tr -s ' '").Want(t, fmt.Sprintf("%d\n 0 0 4294967295\n", u.UID), "", 0)
	if got, want := owner(t, u.Home+"/f"), fmt.Sprintf("%d %d 644", u.UID, u.GID); got != want {
		t.Errorf("on the host %s, want %s", got, want)
	}
}

func TestUserNamespacesWithABrokerInItsOwnMountNamespace(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	// systemd starts it so (ProtectSystem= and others), with the host's mounts shared.
	u := newRemapped(t, "mounthome")
	e2e.OnHost(t, "mount", "--make-rshared", "/")
	t.Cleanup(func() { e2e.OnHost(t, "mount", "--make-rprivate", "/") })
	e2e.Broker.Stop()
	plain := e2e.Broker.Argv
	e2e.Broker.Argv = append([]string{"unshare", "--mount", "--propagation", "slave", "sh", "-c",
		`mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"`, e2e.RunDir}, plain...)
	t.Cleanup(func() {
		e2e.Broker.Stop()
		e2e.Broker.Argv = plain
		if err := e2e.Broker.Start(); err != nil {
			t.Error(err)
		}
	})
	if err := e2e.Broker.Start(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		e2e.SSH(t, u, "stat -c %u ~; echo x >~/f; stat -c %u ~/f").Want(t, fmt.Sprintf("%d\n%d\n", u.UID, u.UID), "", 0)
		if out := e2e.OnHost(t, "cat", "/proc/mounts"); strings.Contains(out, e2e.RunDir) {
			t.Errorf("a mount is left:\n%s", out)
		}
		remapDocker(t, "stop", "-t", "1", remappedContainer(t, u))
	}
}

func TestUserNamespacesWithTmpAndSocketOfTheHost(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	u := newRemapped(t, "mounttmp", "mountdockersocket")
	t.Cleanup(func() { e2e.OnHost(t, "rm", "-f", "/tmp/"+u.Name) })
	r := e2e.SSH(t, u, "umask 022; echo x >/tmp/"+u.Name+"; stat -c %u /tmp/"+u.Name+" /tmp /var/run/docker.sock; test -w /var/run/docker.sock")
	if want := fmt.Sprintf("%d\n65534\n65534\n", u.UID); r.Stdout != want || r.Status != 1 {
		t.Errorf("%q, status %d; want %q and a socket without access: %s", r.Stdout, r.Status, want, r.Stderr)
	}
	if got, want := owner(t, "/tmp/"+u.Name), fmt.Sprintf("%d %d 644", remapFirst+u.UID, remapFirst+u.GID); got != want {
		t.Errorf("on the host %s, want %s", got, want)
	}
}

func TestUserNamespacesAreExplained(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	u := newRemapped(t, "mounthome")
	out := e2e.OnHost(t, e2e.CtlPath, "explain", u.Name)
	for _, want := range []string{"200000", "source=" + e2e.RunDir + "/c/" + u.Name + "_dockersh/home", fmt.Sprintf("u%d=%d", u.UID, u.UID), u.Home} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// A connection without a session, whose forward listens in the network of the container.
func TestConnectionJoinsAContainerWithUserNamespaces(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(remapped, e2e.PAMSSHD), "the PAM module asks the service alone")
	u := newRemapped(t)
	argv := e2e.PAMArgv(u, "-N", "-R", "127.0.0.1:9977:127.0.0.1:9", "127.0.0.1")
	cmd := exec.Command(argv[0], argv[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	listens := func(pid string) bool {
		table, _ := os.ReadFile("/proc/" + pid + "/net/tcp")
		return strings.Contains(string(table), "0100007F:26F9 00000000:0000 0A")
	}
	e2e.Eventually(t, "it listens in the container", func() bool {
		id := remapDocker(t, "ps", "-q", "--filter", "label=dockersh.user="+u.Name)
		return id != "" && listens(remapDocker(t, "inspect", "-f", "{{.State.Pid}}", id))
	})
	if listens("self") {
		t.Error("it listens on the host")
	}
}
