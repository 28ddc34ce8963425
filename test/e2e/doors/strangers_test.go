//go:build e2e

package doors

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/test/e2e"
)

// manyUIDs connects as one uid after the other, in a user namespace that has 65536, until it
// is killed.
func manyUIDs() error {
	runtime.LockOSThread()
	login, err := wire.Encode(&wire.Login{Version: wire.Version})
	if err != nil {
		return err
	}
	setUID := func(uid int) {
		_, _, _ = syscall.RawSyscall(syscall.SYS_SETRESUID, ^uintptr(0), uintptr(uid), ^uintptr(0))
	}
	fmt.Println("ready")
	var open []int
	for n := 0; ; n++ {
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		setUID(1 + n%60000)
		err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: e2e.RunDir + "/dockershd.sock"})
		setUID(0)
		if err == nil {
			err = syscall.Sendmsg(fd, login, nil, nil, syscall.MSG_NOSIGNAL)
		}
		if open = append(open, fd); err != nil {
			time.Sleep(time.Millisecond)
		}
		if len(open) > 500 {
			for _, fd := range open {
				syscall.Close(fd)
			}
			open = open[:0]
		}
	}
}

// giveSubordinates gives an account subordinate uids, unless useradd did.
func giveSubordinates(t *testing.T, u *e2e.Account) {
	t.Helper()
	for _, path := range []string{"/etc/subuid", "/etc/subgid"} {
		b, _ := os.ReadFile(path)
		if strings.Contains("\n"+string(b), "\n"+u.Name+":") {
			continue
		}
		e2e.RestoreFile(t, path)
		e2e.WriteFile(t, path, string(b)+u.Name+":500000000:65536\n")
	}
}

// memoryOf returns the resident memory of the service in kB.
func memoryOf(t *testing.T) int {
	t.Helper()
	pids := e2e.PidsOf(func(_ int, args string) bool { return strings.HasPrefix(args, e2e.Prefix+"/sbin/dockershd") })
	if len(pids) == 0 {
		t.Fatal("no dockershd")
	}
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pids[0]) + "/status")
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	f := strings.Fields(rest)
	if len(f) == 0 {
		t.Fatal("no VmRSS")
	}
	n, err := strconv.Atoi(f[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOneUserOfManyUIDsHoldsNobodyUp(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "its socket")
	attacker := e2e.NewAccount(t, "/bin/bash")
	giveSubordinates(t, attacker)
	others := make([]*e2e.Account, 6)
	for i := range others {
		others[i] = e2e.NewUser(t)
		e2e.CanLogIn(t, others[i])
	}
	before := memoryOf(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := e2e.Scratch + "/many-uids" // where every uid can run it
	e2e.OnHost(t, "install", "-m", "755", self, program)
	for range 2 {
		cmd := e2e.AsUser(attacker, "unshare", "--user", "--map-auto", "--map-root-user", program)
		cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "APART=" + os.Getenv("APART"), "ATTACK=many uids"}
		cmd.Stderr = os.Stderr
		_, out := e2e.StartPiped(t, cmd)
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		if said, err := bufio.NewReader(out).ReadString('\n'); err != nil || said != "ready\n" {
			t.Fatalf("%q %v", said, err)
		}
	}
	time.Sleep(3 * time.Second)
	for _, u := range append(others[:len(others):len(others)], e2e.NewUser(t)) {
		r, err := e2e.TrySSH(u, nil, "echo in")
		if t.Logf("%v", r.Took); err != nil || r.Stdout != "in\n" || r.Took > 10*time.Second {
			t.Errorf("%v %q %q", err, r.Stdout, r.Stderr)
		}
	}
	if grown := memoryOf(t) - before; grown > 50_000 {
		t.Errorf("dockershd has grown by %d kB", grown)
	}
}
