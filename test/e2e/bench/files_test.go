//go:build e2e && bench

package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// filesUser is a user whose container has these programs of the host.
func filesUser(t *testing.T, image string, programs ...string) *e2e.Account {
	e2e.DockerImages.MakeImageWith(t, image, programs...)
	u := e2e.NewUser(t, "imagename = "+image)
	e2e.CanLogIn(t, u)
	return u
}

// TestFilesBudget measures these rows alone: FILES=1 go test -run TestFilesBudget.
func TestFilesBudget(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	measureAlone(t, "FILES", func() []row { return fileRows(t) })
}

// fileRows compares ours with OpenSSH's sftp server and scp, in containers, over ssh.
func fileRows(t *testing.T) []row {
	const openSSHs = "/usr/lib/openssh/sftp-server"
	without, with := filesUser(t, "dsh-sftp", openSSHs), filesUser(t, "dsh-scp", "/usr/bin/scp")
	dir := t.TempDir()
	if out, err := exec.Command("sh", "-c", "head -c 100000000 /dev/urandom >"+dir+"/big").CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	options := append([]string{"-q", "-o", "ControlPath=" + dir + "/%r"}, e2e.ClientOptions("P")...)
	connect(t, dir, without, with)
	client := func(stdin string, argv ...string) func() time.Duration {
		return func() time.Duration {
			cmd := exec.Command(argv[0], argv[1:]...)
			cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
			start := time.Now()
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%q: %v: %s", argv, err, out)
			}
			return time.Since(start)
		}
	}
	sftp := func(server, command string) func() time.Duration {
		argv := append([]string{"sftp"}, options...)
		return client(command+"\n", append(argv, "-b", "-", "-s", server, without.Name+"@127.0.0.1")...)
	}
	scp := func(from, to string) func() time.Duration {
		return client("", append(append([]string{"scp", "-O"}, options...), from, to)...)
	}
	there := func(u *e2e.Account) string { return u.Name + "@127.0.0.1:/tmp/big" }

	stop, peak := make(chan bool), make(chan float64)
	go watchMemory("dockersh-files", stop, peak)
	const ours = "/.dockersh/dockersh-files sftp-server"
	against := func(what string, ours, other func() time.Duration) row {
		return measure(15, func(m [][]time.Duration) []row {
			return []row{throughputRow(what+", throughput vs OpenSSH's", m[0], m[1], 0.9)}
		}, ours, other)[0]
	}
	rows := []row{
		against("sftp put of 100 MB", sftp(ours, "put big /tmp/big"), sftp(openSSHs, "put big /tmp/big")),
		against("sftp get of 100 MB", sftp(ours, "get /tmp/big got"), sftp(openSSHs, "get /tmp/big got")),
		// Clients use the old protocol of scp only if they are told to.
		against("scp -O of 100 MB to the container", scp("big", there(without)), scp("big", there(with))),
		against("scp -O of 100 MB from the container", scp(there(without), "got"), scp(there(with), "got")),
	}
	close(stop)
	most := <-peak
	return append(rows, memoryRow("memory of dockersh-files at its most", most, 15e6))
}

// connect makes a connection for each account, with a socket in dir that clients share it by: a
// login takes as long as 50 MB.
func connect(t *testing.T, dir string, accounts ...*e2e.Account) {
	for _, a := range accounts {
		argv := e2e.SSHArgv(a, "-o", "ControlPath="+dir+"/%r", "-M", "-N", "127.0.0.1")
		cmd := exec.Command(argv[0], argv[1:]...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		e2e.Eventually(t, "the connection is there", func() bool { _, err := os.Stat(dir + "/" + a.Name); return err == nil })
	}
}

// watchMemory looks for processes of that name until stop, and sends the most memory in
// bytes that one of them had, with what it shares.
func watchMemory(name string, stop chan bool, peak chan float64) {
	most := 0.
	for {
		select {
		case <-stop:
			peak <- most
			return
		case <-time.After(100 * time.Millisecond):
		}
		all, _ := filepath.Glob("/proc/[0-9]*/comm")
		for _, comm := range all {
			if b, _ := os.ReadFile(comm); strings.TrimSpace(string(b)) != name {
				continue
			}
			status, _ := os.ReadFile(filepath.Dir(comm) + "/status")
			for line := range strings.Lines(string(status)) {
				if f := strings.Fields(line); len(f) > 1 && f[0] == "VmHWM:" {
					kib, _ := strconv.ParseFloat(f[1], 64)
					most = max(most, kib*1024)
				}
			}
		}
	}
}
