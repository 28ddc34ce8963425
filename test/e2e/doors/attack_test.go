//go:build e2e

package doors

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// attackers are what an unprivileged user does to the broker's socket, to a setuid shell
// or to another process. Each runs as this test binary, as the user. It prints "ready"
// and keeps what it has open until its input ends; reach and trace end by themselves.
var attackers = map[string]func() error{
	"connections": manyConnections,
	"garbage":     garbage,
	"starts":      starts,
	"reach":       reach,
	"trace":       trace,

	"inherited connect": inheritedConnect,
	"login of the dead": loginOfTheDead,
	"first logins":      firstLogins,
	"many uids":         manyUIDs,
	"refused logins":    refusedLogins,
	"wrong files":       wrongFiles,
}

// attack runs an attacker as a user; end ends it.
func attack(t *testing.T, u *e2e.Account, name string) (end func()) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{"APART=" + os.Getenv("APART"), "ATTACK=" + name, "STARTS=" + os.Getenv("STARTS")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.GID)}}
	cmd.Stderr = os.Stderr
	in, out := e2e.StartPiped(t, cmd)
	said, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(said, "ready") {
		t.Fatalf("%s: %q %v", name, said, err)
	}
	t.Logf("%s: %s", name, strings.TrimSpace(said))
	return func() { in.Close(); _ = cmd.Wait() }
}

// attackMain is the main function of an attacker.
func attackMain(name string) int {
	if err := attackers[name](); err != nil {
		fmt.Println(err)
		return 1
	}
	_, _ = os.Stdin.Read(make([]byte, 1))
	return 0
}

func connectBroker() (int, error) {
	for {
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			return -1, err
		}
		if err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: e2e.RunDir + "/dockershd.sock"}); err == nil {
			return fd, nil
		}
		syscall.Close(fd)
		if err != syscall.EAGAIN {
			return -1, err
		}
	}
}

func manyConnections() error {
	var lim syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim); err != nil {
		return err
	}
	if lim.Cur < 10100 {
		return fmt.Errorf("only %d descriptors", lim.Cur)
	}
	for range 10000 {
		if _, err := connectBroker(); err != nil {
			return err
		}
	}
	fmt.Println("ready with 10000 connections")
	return nil
}

// garbage sends packets of every kind and size, with and without descriptors. The
// broker must answer with errors only.
func garbage() error {
	r := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	answers := 0
	for range 5000 {
		fd, err := connectBroker()
		if err != nil {
			return err
		}
		_ = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: 20})
		p := make([]byte, 2+r.IntN(300))
		for i := range p {
			p[i] = byte(r.Uint32())
		}
		p[0] = byte(r.IntN(20))
		// Not a login that is answered with a session.
		if p[0] == 1 {
			p[1] = 99
		}
		if r.IntN(3) == 0 {
			p = []byte{[]byte{6, 14}[r.IntN(2)]} // complete messages that do not belong here
		}
		var rights []byte
		if n := r.IntN(5); n > 0 {
			fds := make([]int, n)
			rights = syscall.UnixRights(fds...)
		}
		if err := syscall.Sendmsg(fd, p, rights, nil, syscall.MSG_NOSIGNAL); err == nil {
			in := make([]byte, 4096)
			oob := make([]byte, 256)
			n, oobn, _, _, err := syscall.Recvmsg(fd, in, oob, 0)
			if oobn > 0 {
				return fmt.Errorf("%x was answered with descriptors", p)
			}
			if err == nil && n > 0 {
				answers++
				if in[0] != 5 { // an error
					return fmt.Errorf("%x was answered with %x", p, in[:n])
				}
			}
		}
		syscall.Close(fd)
	}
	if answers == 0 {
		return fmt.Errorf("nothing was answered")
	}
	fmt.Println("ready with", answers, "errors")
	return nil
}

func TestTenThousandConnectionsOfOneUserDelayNobodyElse(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "its socket")
	e2e.CanLogIn(t, e2e.Tiny)
	attacker := e2e.NewAccount(t, "/bin/bash")
	end := attack(t, attacker, "connections")
	defer end()
	e2e.CanLogIn(t, e2e.Tiny)
	e2e.CanLogIn(t, e2e.NewUser(t))
	end()
	e2e.Eventually(t, "the broker has closed all of them", func() bool {
		r, err := e2e.TrySSH(e2e.Tiny, nil, "true")
		return err == nil && r.Status == 0
	})
}

func TestGarbageGetsErrorsOnly(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "its socket")
	attacker := e2e.NewAccount(t, "/bin/bash")
	attack(t, attacker, "garbage")()
	e2e.CanLogIn(t, e2e.Tiny)
	if found := attacker.Containers(t); len(found) != 0 {
		t.Errorf("garbage made containers: %v", found)
	}
}

func TestUsersCannotReadTheBrokersDirectories(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewAccount(t, "/bin/bash")
	e2e.CanLogIn(t, e2e.Tiny)
	for _, path := range []string{e2e.RunDir + "/c", e2e.RunDir + "/c/" + e2e.Tiny.Name + "_dockersh", e2e.RunDir + "/images", "/run/docker.sock"} {
		r, err := e2e.TrySSH(u, nil, "ls "+path+"/ 2>&1 || cat "+path)
		if err != nil || r.Status == 0 {
			t.Errorf("every user can read %s: %q", path, r.Stdout)
		}
	}
}
