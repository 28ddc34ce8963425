package front

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The container user may have another number than the owner of the pipes.
func TestPipeCanBeOpenedAgainByAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	open := func(let bool) error {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		r, w := os.NewFile(uintptr(p[0]), "r"), os.NewFile(uintptr(p[1]), "w")
		defer r.Close()
		defer w.Close()
		if let {
			letReopen(p[0])
			letReopen(p[1])
		}
		cmd := exec.Command("/bin/sh", "-c", "echo x >/dev/stdout && read -r l </dev/stdin && [ $l = x ]")
		cmd.Stdin, cmd.Stdout = r, w
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		return cmd.Run()
	}
	if open(false) == nil {
		t.Error("it can be opened as it is, so this test proves nothing")
	}
	if err := open(true); err != nil {
		t.Error(err)
	}
}
