//go:build e2e

package e2e

import (
	"encoding/binary"
	"os"
	"os/exec"
	"testing"
)

// fullDisk mounts a file system that has no room any more.
func fullDisk(t *testing.T, on string) {
	t.Helper()
	if err := os.MkdirAll(on, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "mount", "-t", "tmpfs", "-o", "mode=755,size=4k", "full", on)
	t.Cleanup(func() {
		eventually(t, "nobody has a file there open any more", func() bool { return exec.Command("umount", on).Run() == nil })
		_ = os.Remove(on)
	})
	write(t, on+"/all", "there is")
}

// serviceReadsOnly restarts the service so that it cannot write below a directory, as
// ProtectSystem= of systemd.exec(5) does.
func serviceReadsOnly(t *testing.T, dir string) {
	t.Helper()
	argv := broker.argv
	broker.stop()
	broker.argv = append([]string{"unshare", "--mount", "sh", "-ec", `mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; exec "$@"`, dir}, argv...)
	t.Cleanup(func() {
		broker.stop()
		broker.argv = argv
		if err := broker.start(); err != nil {
			t.Error(err)
		}
	})
	if err := broker.start(); err != nil {
		t.Fatal(err)
	}
}

// openSocket is that of an engine which listens on TCP too, and asks nobody there.
const openSocket = "/run/open.sock"

func openEngine(t *testing.T) {
	t.Helper()
	const bridge = "dshopen" // an engine without one takes that of others away
	run(t, "ip", "link", "add", bridge, "type", "bridge")
	t.Cleanup(func() { run(t, "ip", "link", "delete", bridge) })
	run(t, "ip", "address", "add", "10.213.8.1/24", "dev", bridge)
	d := &daemon{
		name: "dockerd-open",
		argv: []string{"dockerd", "--host", "unix://" + openSocket, "--host", "tcp://127.0.0.1:2377", "--tls=false",
			"--data-root", os.Getenv("APART") + "/docker-open", "--exec-root", "/run/docker-open", "--pidfile", "/run/docker-open.pid",
			"--bridge=" + bridge, "--iptables=false", "--ip6tables=false", "--ip-masq=false", "--shutdown-timeout", "5"},
		ready: func() bool { return tryDocker("--host", "unix://"+openSocket, "version") == nil },
	}
	t.Cleanup(d.stop)
	if err := d.start(); err != nil {
		t.Fatal(err, d.log())
	}
}

// aclFor is an access control list (acl(5)) as the kernel has it: owner, group
// and one more user may read and write.
func aclFor(uid int) []byte {
	const ownerTag, userTag, groupTag, maskTag, otherTag, nobody = 1, 2, 4, 16, 32, 0xffffffff
	b := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range []struct {
		tag, perm uint16
		id        uint32
	}{{ownerTag, 6, nobody}, {userTag, 6, uint32(uid)}, {groupTag, 6, nobody}, {maskTag, 6, nobody}, {otherTag, 0, nobody}} {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, e.perm)
		b = binary.LittleEndian.AppendUint32(b, e.id)
	}
	return b
}
