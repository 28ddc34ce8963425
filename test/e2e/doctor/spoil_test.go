//go:build e2e

package doctor

import (
	"encoding/binary"
	"os"
	"os/exec"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// fullDisk mounts a full file system.
func fullDisk(t *testing.T, on string) {
	t.Helper()
	if err := os.MkdirAll(on, 0o755); err != nil {
		t.Fatal(err)
	}
	e2e.OnHost(t, "mount", "-t", "tmpfs", "-o", "mode=755,size=4k", "full", on)
	t.Cleanup(func() {
		e2e.Eventually(t, "no process has a file there open", func() bool { return exec.Command("umount", on).Run() == nil })
		_ = os.Remove(on)
	})
	e2e.WriteFile(t, on+"/all", "there is")
}

// serviceReadsOnly restarts the service without the right to write below a directory, as
// with ProtectSystem= of systemd.exec(5).
func serviceReadsOnly(t *testing.T, dir string) {
	t.Helper()
	argv := e2e.Broker.Argv
	e2e.Broker.Stop()
	e2e.Broker.Argv = append([]string{"unshare", "--mount", "sh", "-ec", `mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; exec "$@"`, dir}, argv...)
	t.Cleanup(func() {
		e2e.Broker.Stop()
		e2e.Broker.Argv = argv
		if err := e2e.Broker.Start(); err != nil {
			t.Error(err)
		}
	})
	if err := e2e.Broker.Start(); err != nil {
		t.Fatal(err)
	}
}

// openSocket is the socket of an engine that listens on TCP too, without authentication.
const openSocket = "/run/open.sock"

func openEngine(t *testing.T) {
	t.Helper()
	const bridge = "dshopen" // an engine without its own bridge removes that of others
	e2e.OnHost(t, "ip", "link", "add", bridge, "type", "bridge")
	t.Cleanup(func() { e2e.OnHost(t, "ip", "link", "delete", bridge) })
	e2e.OnHost(t, "ip", "address", "add", "10.213.8.1/24", "dev", bridge)
	d := &e2e.Daemon{
		Name: "dockerd-open",
		Argv: []string{"dockerd", "--host", "unix://" + openSocket, "--host", "tcp://127.0.0.1:2377", "--tls=false",
			"--data-root", os.Getenv("APART") + "/docker-open", "--exec-root", "/run/docker-open", "--pidfile", "/run/docker-open.pid",
			"--bridge=" + bridge, "--iptables=false", "--ip6tables=false", "--ip-masq=false", "--shutdown-timeout", "5"},
		Ready: func() bool { return e2e.TryDocker("--host", "unix://"+openSocket, "version") == nil },
	}
	t.Cleanup(d.Stop)
	if err := d.Start(); err != nil {
		t.Fatal(err, d.Log())
	}
}

// aclFor returns an access control list (acl(5)) in the kernel's form: owner, group and one
// more user may read and write.
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
