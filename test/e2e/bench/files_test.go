//go:build e2e && bench

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// sftpServers are ours and OpenSSH's, as paths in the container.
var sftpServers = []string{"/.dockersh/dockersh-files sftp-server", "/usr/lib/openssh/sftp-server"}

// fileRows compares both sftp servers in one container, over ssh.
func fileRows(t *testing.T) []budget {
	e2e.DockerImages.MakeImage(t, "dsh-sftp", `for f in /usr/lib/openssh/sftp-server $(ldd /usr/lib/openssh/sftp-server | grep -o '/[^ ]*'); do
		mkdir -p ".${f%/*}"; cp -L "$f" ".$f"; done`)
	u := e2e.NewUser(t, "imagename = dsh-sftp")
	e2e.CanLogIn(t, u)
	dir := t.TempDir()
	if out, err := exec.Command("sh", "-c", "head -c 400000000 /dev/urandom >"+dir+"/big").CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	transfer := func(server, command string) func() time.Duration {
		argv := []string{"sftp", "-q", "-b", "-", "-s", server, "-S", "/usr/bin/ssh", "-P", e2e.Port}
		for _, o := range []string{"IdentityFile=" + e2e.Scratch + "/key", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"} {
			argv = append(argv, "-o", o)
		}
		return func() time.Duration {
			cmd := exec.Command(argv[0], append(argv[1:], u.Name+"@127.0.0.1")...)
			cmd.Dir, cmd.Stdin = dir, strings.NewReader(command+"\n")
			start := time.Now()
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %s", server, err, out)
			}
			return time.Since(start)
		}
	}
	stop := make(chan bool)
	peak := make(chan float64)
	go watchMemory("dockersh-files", stop, peak)
	put := race(5, transfer(sftpServers[0], "put big /tmp/big"), transfer(sftpServers[1], "put big /tmp/big"))
	get := race(5, transfer(sftpServers[0], "get /tmp/big got"), transfer(sftpServers[1], "get /tmp/big got"))
	close(stop)
	most := <-peak
	return []budget{
		{"sftp put of 400 MB, throughput vs OpenSSH's sftp-server", ms(put[0]), ms(put[1]), ratio(put[1], put[0]), 0.9, true},
		{"sftp get of 400 MB, throughput vs OpenSSH's sftp-server", ms(get[0]), ms(get[1]), ratio(get[1], get[0]), 0.9, true},
		{"memory of dockersh-files at its most", kB(most), "15 MB", most / 15e6, 1, false},
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

// TestSFTPBudgets measures these rows alone: go test -run TestSFTPBudgets.
func TestSFTPBudgets(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	if os.Getenv("SFTP") == "" {
		t.Skip("TestBudgets has the same rows; SFTP=1 asks for them alone")
	}
	for _, b := range fileRows(t) {
		fmt.Println(b.what, b.ours, b.theirs, b.ratio, b.pass())
	}
}
