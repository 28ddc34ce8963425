//go:build e2e

package doors

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/test/e2e"
)

// inheritedConnect connects a socket that is inherited as descriptor 3, and ends.
func inheritedConnect() error {
	if err := syscall.Connect(3, &syscall.SockaddrUnix{Name: e2e.RunDir + "/dockershd.sock"}); err != nil {
		return err
	}
	os.Exit(0)
	return nil
}

// loginOfTheDead has a child connect that is gone when the login is sent.
func loginOfTheDead() error {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET, 0)
	if err != nil {
		return err
	}
	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), "ATTACK=inherited connect")
	child.ExtraFiles = []*os.File{os.NewFile(uintptr(fd), "socket")}
	if err := child.Run(); err != nil {
		return err
	}
	fmt.Println("ready", child.Process.Pid)
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		return err
	}
	login, err := wire.Encode(&wire.Login{Version: wire.Version})
	if err != nil {
		return err
	}
	if err := syscall.Sendmsg(fd, login, nil, nil, syscall.MSG_NOSIGNAL); err != nil {
		return err
	}
	for {
		answer := make([]byte, 4096)
		n, err := syscall.Read(fd, answer)
		if err != nil {
			return err
		}
		if n == 0 || wire.Kind(answer[0]) != wire.KindProgress {
			fmt.Println("answer", n, answer[0])
			return nil
		}
	}
}

// startAs starts a process of a user that has a certain number, which must be free.
func startAs(t *testing.T, u *e2e.Account, number int) *exec.Cmd {
	t.Helper()
	for range 20 {
		// pid_namespaces(7)
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(number-1)), 0); err != nil {
			t.Fatal(err)
		}
		cmd := e2e.AsUser(u, "sleep", "100")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		if cmd.Process.Pid == number {
			return cmd
		}
	}
	t.Fatalf("no process got the number %d", number)
	return nil
}

// A user connects in a process that ends, and keeps the socket. Its number is another
// user's by the time of the login, which must not be taken for that user's session.
func TestNumberOfAProcessThatIsGoneIsNotBelieved(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "its socket")
	other := e2e.NewAccount(t, "/bin/bash")
	for _, whose := range []string{"another user's", "the user's own"} {
		a := e2e.NewUser(t)
		e2e.CanLogIn(t, a)
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = []string{"APART=" + os.Getenv("APART"), "ATTACK=login of the dead"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(a.UID), Gid: uint32(a.GID)}}
		in, out := e2e.StartPiped(t, cmd)
		lines := bufio.NewReader(out)
		said, err := lines.ReadString('\n')
		number, _ := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(said, "ready ")))
		if err != nil || number == 0 {
			t.Fatalf("%q %v", said, err)
		}
		if whose == "the user's own" {
			startAs(t, a, number)
		} else {
			startAs(t, other, number)
		}
		if _, err := io.WriteString(in, "\n"); err != nil {
			t.Fatal(err)
		}
		said, err = lines.ReadString('\n')
		if err != nil || !strings.HasSuffix(strings.TrimSpace(said), " "+strconv.Itoa(int(wire.KindError))) {
			t.Errorf("the number is %s: %q %v", whose, said, err)
		}
		entries, _ := filepath.Glob(fmt.Sprintf("%s/s/%d.%d.*", e2e.RunDir, a.UID, number))
		if len(entries) > 0 {
			t.Errorf("a session is said to be process %d, which is %s: %q", number, whose, entries)
		}
		in.Close()
		_ = cmd.Wait()
	}
}
