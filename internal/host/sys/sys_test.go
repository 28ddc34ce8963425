package sys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOnlyPipesAndUnixStreamsMayEnterAContainer(t *testing.T) {
	dir := t.TempDir()
	open := func(path string, flags int) int {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		return fd
	}
	fifo, file := filepath.Join(dir, "fifo"), filepath.Join(dir, "file")
	if err := errors.Join(unix.Mkfifo(fifo, 0o600), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	var p, s [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	s, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	master := open("/dev/ptmx", unix.O_RDWR)
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	peer, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(master), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY)
	if errno != 0 {
		t.Fatal(errno)
	}
	memory, err := unix.MemfdCreate("x", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	lonely, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	datagrams, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	internet, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range []int{p[0], p[1], s[0], s[1], int(peer), memory, lonely, datagrams[0], datagrams[1], internet} {
		defer unix.Close(fd)
	}
	for _, c := range []struct {
		what string
		fd   int
		want bool
	}{
		{"the reading end of a pipe", p[0], true},
		{"the writing end of a pipe", p[1], true},
		{"a socket as sshd's", s[0], true},
		{"a socket that is not connected", lonely, false},
		{"a socket that can send elsewhere", datagrams[0], false},
		{"a socket of the host's network", internet, false},
		{"a directory", open(dir, unix.O_RDONLY|unix.O_DIRECTORY), false},
		{"a path alone", open(dir, unix.O_PATH), false},
		{"a file", open(file, unix.O_RDWR), false},
		{"a file in memory", memory, false},
		{"a FIFO with a name", open(fifo, unix.O_RDWR|unix.O_NONBLOCK), false},
		{"a terminal", int(peer), false},
		{"the master of a terminal", master, false},
		{"/dev/null", open("/dev/null", unix.O_RDWR), false},
		{"nothing", -1, false},
	} {
		if got := Passable(c.fd); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

func TestAsUserHasTheUsersRightsToFilesAndOnlyThere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be someone else")
	}
	const nobody = 65534
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	var inside error
	if err := AsUser(nobody, nobody, func() { _, inside = os.ReadFile(secret) }); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(inside, fs.ErrPermission) {
		t.Errorf("as nobody: %v", inside)
	}
	if _, err := os.ReadFile(secret); err != nil {
		t.Errorf("afterwards, as ourselves: %v", err)
	}
	if groups, err := os.Getgroups(); err != nil || os.Geteuid() != 0 {
		t.Errorf("groups %v, %v, uid %d", groups, err, os.Geteuid())
	}
}

func TestReadAvailableReadsWhatIsThereAndThenTheEnd(t *testing.T) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(p[0])
	buf := make([]byte, 8)
	read := func(want string, over bool) {
		t.Helper()
		if n, ended := ReadAvailable(p[0], buf); string(buf[:n]) != want || ended != over {
			t.Errorf("read %q, ended %v; want %q, %v", buf[:n], ended, want, over)
		}
	}
	read("", false)
	if _, err := unix.Write(p[1], []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	read("01234567", false)
	_ = unix.Close(p[1])
	read("89", false)
	read("", true)
}
