//go:build e2e

package settings

import (
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// ping asks 127.0.0.1 as iputils does where the kernel lets it: without a raw socket.
const ping = `perl -MSocket -e '
	socket(S, PF_INET, SOCK_DGRAM, 1) or die "socket: $!\n";
	send(S, pack("CCnnn", 8, 0, 0, 0, 1), 0, pack_sockaddr_in(0, inet_aton("127.0.0.1"))) or die "send: $!\n";
	alarm 10;
	defined(recv(S, $answer, 99, 0)) or die "recv: $!\n";
	print "answer ", unpack("C", $answer), "\n"'`

const rawSocket = `perl -MSocket -e 'socket(S, PF_INET, SOCK_RAW, 1) or die "$!\n"'`

func TestUsersCanPingWithoutRawSockets(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash")
	e2e.SSH(t, u, ping).Want(t, "answer 0\n", "", 0)
	e2e.SSH(t, u, rawSocket).Want(t, "", "Operation not permitted\n", 1)
	// Debian's program has a file capability, and does not start without it in the bounding set.
	const boundingSet = `perl -ne 'print hex($1) >> 13 & 1 if /^CapBnd:.*([0-9a-f]{8})$/' /proc/self/status`
	e2e.SSH(t, u, boundingSet).Want(t, "1", "", 0)
	v := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash", "capdrop = NET_RAW")
	e2e.SSH(t, v, boundingSet).Want(t, "0", "", 0)
	// A root of a later login has it no more than the user.
	if err := e2e.TryDocker("exec", "-u", "0", u.Container(t), "sh", "-c", rawSocket); err == nil {
		t.Error("root has raw sockets")
	}
}

func TestRootOfTheAdministratorsInstallsPackagesAndBecomesOthers(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	dir := t.TempDir()
	e2e.OnHost(t, "mkdir", "-p", dir+"/p/DEBIAN", dir+"/p/usr/lib")
	e2e.OnHost(t, "chmod", "-R", "755", dir+"/p")
	e2e.WriteFile(t, dir+"/p/DEBIAN/control", "Package: dsh\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n")
	e2e.WriteFile(t, dir+"/p/usr/lib/dsh", "there\n")
	if err := os.Chown(dir+"/p/usr/lib/dsh", 42, 42); err != nil {
		t.Fatal(err)
	}
	e2e.OnHost(t, "dpkg-deb", "-b", dir+"/p", dir+"/dsh.deb")
	deb, err := os.Open(dir + "/dsh.deb")
	if err != nil {
		t.Fatal(err)
	}
	defer deb.Close()
	u := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash", "containerusername = root")
	r := e2e.SSHInput(t, u, deb, "cat >/tmp/dsh.deb; DEBIAN_FRONTEND=noninteractive apt-get install -qq /tmp/dsh.deb >/tmp/log 2>&1 </dev/null || cat /tmp/log; stat -c %u /usr/lib/dsh")
	if !strings.HasSuffix(r.Stdout, "42\n") || r.Status != 0 {
		t.Errorf("apt-get: %+v", r)
	}
	e2e.SSH(t, u, "su nobody -s /bin/sh -c 'id -un'").Want(t, "nobody\n", "", 0)
	e2e.SSH(t, u, rawSocket).Want(t, "", "Operation not permitted\n", 1)
	e2e.SSH(t, u, "mknod /tmp/null c 1 3 2>/dev/null; echo $?").Want(t, "1\n", "", 0)

	// A user who may choose root is not the administrator.
	v := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash", "enableuserconfig", "enableusercontainerusername")
	v.WriteFile(t, ".dockersh", "[dockersh]\ncontainerusername = root\n", 0o644)
	if r := e2e.SSH(t, v, "su nobody -s /bin/sh -c 'id -un'"); r.Status == 0 || r.Stdout != "" {
		t.Errorf("root of the user's own choice becomes others: %+v", r)
	}
}

// withSudo makes an image that has the sudo of this host beside Debian.
func withSudo(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("/usr/bin/sudo"); err != nil {
		t.Skip("this host has no sudo to put into an image")
	}
	const image = "dsh-sudo"
	id := strings.TrimSpace(e2e.OnHost(t, "docker", "create", "dsh-debian", "true"))
	t.Cleanup(func() { e2e.OnHost(t, "docker", "rm", "-f", id) })
	e2e.OnHost(t, "sh", "-c", "{ dpkg -L sudo; ls -d /lib/x86_64-linux-gnu/libaudit.so* /lib/x86_64-linux-gnu/libselinux.so* /lib/x86_64-linux-gnu/libcap-ng.so* "+
		"/lib/x86_64-linux-gnu/libz.so* 2>/dev/null; } | grep -v '/share/' | tar --no-recursion -cf - -C / -T - 2>/dev/null | docker cp - "+id+":/")
	e2e.OnHost(t, "docker", "commit", id, image)
	return image
}

func TestSudoMakesRootInside(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "another user cannot write into a running container")
	image := withSudo(t)
	const room = "containername = sudoers"
	for _, lines := range [][]string{nil, {room}, {room}} {
		u := e2e.NewUser(t, append(lines, "imagename = "+image, "shell = /bin/bash", "sudo")...)
		e2e.SSH(t, u, "sudo -n id -un; sudo -n -u nobody id -un; id -un").Want(t, "root\nnobody\n"+u.Name+"\n", "", 0)
	}
	// Without the word there is no line, in the same container either.
	for _, lines := range [][]string{nil, {room}} {
		u := e2e.NewUser(t, append(lines, "imagename = "+image, "shell = /bin/bash")...)
		if r := e2e.SSH(t, u, "sudo -n id -un"); r.Stdout != "" || r.Status != 1 {
			t.Errorf("%+v", r)
		}
	}
}

func TestSudoHasNoEffectInAnImageOfTheUser(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "another user cannot write into a running container")
	u := e2e.NewUser(t, "imagename = busybox", "sudo", "enableuserconfig", "enableuserimagename", "enableusershell")
	u.WriteFile(t, ".dockersh", "[dockersh]\nimagename = "+withSudo(t)+"\nshell = /bin/bash\n", 0o644)
	if r := e2e.SSH(t, u, "grep NoNewPrivs /proc/self/status; ls /etc/sudoers.d; sudo -n id -un"); !strings.Contains(r.Stdout, "NoNewPrivs:\t1") ||
		strings.Contains(r.Stdout, "dockersh") || r.Status != 1 {
		t.Errorf("%+v", r)
	}
}
