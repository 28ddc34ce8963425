package front_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// sessionBroker is the broker of one session, which the program starts where no service runs. It
// passes its connection to the test, with what it finds.
func sessionBroker() {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: filepath.Join(filepath.Dir(self), "door"), Net: "unix"})
	if err != nil {
		panic(err)
	}
	sid, _ := unix.Getsid(0)
	cwd, _ := os.Getwd()
	var files []string
	for fd := range 100 {
		if link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil && closesNever(fd) {
			files = append(files, strconv.Itoa(fd)+":"+strings.TrimRight(link, "[]0123456789"))
		}
	}
	groups, _ := unix.Getgroups()
	var space unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_AS, &space)
	found := fmt.Sprintf("uid %d %d, gid %d %d, leader %v, cwd %s, argv %q, env %q, files %q, any space %v, groups %v",
		unix.Getuid(), unix.Geteuid(), unix.Getgid(), unix.Getegid(), sid == os.Getpid(), cwd, os.Args, os.Environ(), files,
		space.Cur == unix.RLIM_INFINITY, groups)
	if _, _, err := c.WriteMsgUnix([]byte(found), unix.UnixRights(0), nil); err != nil {
		panic(err)
	}
}

// closesNever reports whether a descriptor was inherited: Go's own are close-on-exec.
func closesNever(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC == 0
}

// door is where the test meets brokers of one session.
type door struct {
	program string
	l       *net.UnixListener
}

// newDoor installs the broker of one session. Tests that need one run one after the other.
func newDoor(t *testing.T) *door {
	t.Helper()
	needRoot(t)
	d := &door{program: filepath.Join(libexec, "dockershd-session")}
	copyProgram(t, "/proc/self/exe", d.program, 0o755)
	path := filepath.Join(libexec, "door")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	must(t, os.Chmod(path, 0o777))
	t.Cleanup(func() { _ = l.Close() })
	d.l = l
	return d
}

// copyProgram copies a program until the end of the test.
func copyProgram(t *testing.T, from, to string, mode uint32) {
	t.Helper()
	data, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, data, 0o755))
	must(t, unix.Chmod(to, mode))
	t.Cleanup(func() { _ = os.Remove(to) })
}

// accept waits for a broker of one session, and returns its end of the connection, what it found,
// and the user whom the kernel names at the other end.
func (d *door) accept(t *testing.T) (p peer, found string, user uint32) {
	t.Helper()
	_ = d.l.SetDeadline(time.Now().Add(limit))
	c, err := d.l.AcceptUnix()
	must(t, err)
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(limit))
	text, oob := make([]byte, 4<<10), make([]byte, 100)
	n, oobn, _, _, err := c.ReadMsgUnix(text, oob)
	must(t, err)
	all, err := unix.ParseSocketControlMessage(oob[:oobn])
	must(t, err)
	fds, err := unix.ParseUnixRights(&all[0])
	must(t, err)
	cred, err := unix.GetsockoptUcred(fds[0], unix.SOL_SOCKET, unix.SO_PEERCRED)
	must(t, err)
	socket, err := seqpacket.New(fds[0])
	must(t, err)
	return newPeer(t, channel.Conn{Socket: socket}), string(text[:n]), cred.Uid
}

// found is what a broker of one session finds, as a user with a group of the same number.
func (d *door) found(uid int, groups string) string {
	return fmt.Sprintf("uid %d %d, gid %d %d, leader true, cwd /, argv %q, env %q, files %q, any space true, groups %s",
		uid, uid, uid, uid, []string{d.program}, []string{"GOMAXPROCS=1"}, []string{"0:socket:", "1:/dev/null", "2:/dev/null"}, groups)
}

// runsTo runs a session over a connection to its end.
func (f *front) runsTo(end int, p peer) {
	f.t.Helper()
	s := &session{front: f, broker: p, login: expect[*wire.Login](p)}
	s.greet(&wire.Ready{})
	s.started(&wire.Started{})
	s.ends(&wire.Exit{Status: uint32(end) << 8})
	s.exits(end)
	p.expectEnd()
}

func TestBrokerOfOneSessionIsStartedWhereNoServiceRuns(t *testing.T) {
	d := newDoor(t)
	for _, uid := range []int{0, nobody} {
		f := noBroker(t).run(how{uid: uid, extra: open(t, "/dev/zero", os.O_RDONLY), env: []string{"A=b", "GOMAXPROCS=7"}})
		p, found, user := d.accept(t)
		groups := "[]"
		if uid == 0 {
			groups = found[strings.LastIndex(found, "["):] // those of the test
		}
		if want := d.found(uid, groups); found != want || user != uint32(uid) {
			t.Errorf("of %d: %s, want %s", user, found, want)
		}
		f.runsTo(9, p)
	}
	// Its answer counts, and its end too: there is no other one.
	f := noBroker(t).run(how{})
	p, _, _ := d.accept(t)
	_ = p.Close()
	f.refuses(noAnswer)
}

// It learns the user from the kernel alone, and runs before anything of theirs is read.
func TestSetuidProgramStartsTheBrokerAsRoot(t *testing.T) {
	d := newDoor(t)
	path := filepath.Join(libexec, "dockersh")
	copyProgram(t, program(t), path, 0o4755)
	b := newBroker(t) // is not asked
	home := tempDir(t)
	must(t, os.WriteFile(filepath.Join(home, ".dockersh"), []byte("text"), 0o600))
	// As little as sanitizers leave. With less a broker in Go does not start.
	const via = `ulimit -Sv 40000000000; exec "$@"`
	f := b.run(how{via: via, path: path, uid: nobody, argv: []string{"dockersh", "-c", path}, extra: open(t, "/dev/zero", os.O_RDONLY),
		env: []string{"SSH_ORIGINAL_COMMAND=id", "HOME=" + home, "LD_PRELOAD=/none", "GODEBUG=x=y", "TERM=x"}})
	p, found, user := d.accept(t)
	if want := d.found(0, "[]"); found != want || user != nobody {
		t.Errorf("of %d: %s, want %s", user, found, want)
	}
	login := expect[*wire.Login](p)
	if string(login.Words) != "id" || login.UserErr == "" {
		t.Errorf("%+v", login)
	}
	for _, ids := range []string{"\nUid:\t65534\t65534\t65534\t65534\n", "\nGid:\t65534\t65534\t65534\t65534\n", "\nCapEff:\t0000000000000000\n", "\nCapPrm:\t0000000000000000\n"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.pid))
		if err != nil || !strings.Contains(string(text), ids) {
			t.Errorf("%v: there is no %q in %s", err, ids, text)
		}
	}
	s := &session{front: f, broker: p}
	s.greet(&wire.Ready{Accept: []string{"*"}})
	if got := strings.Join(entered(s.start), " "); got != "SHELL=/bin/ash TERM=x" || s.start.Argv[2] != "id" {
		t.Errorf("%q, %q", got, s.start.Argv)
	}
	s.finish()
	// Before its arguments are looked at.
	f = noBroker(t).run(how{path: path, uid: nobody, argv: []string{"dockersh", "--version"}})
	p, _, _ = d.accept(t)
	p.expectEnd()
	f.exits(0)
	// Run by root it is not set-uid.
	f = b.run(how{path: path})
	f.runsTo(3, b.accept())
}

func TestOtherRightsThanOfRootAreABadInstallation(t *testing.T) {
	needRoot(t)
	const bad = "dockersh: error: dockersh is not installed correctly: dockersh may be setuid root, and nothing else\nhint: " + usererr.RunDoctor + "\n"
	path := filepath.Join(libexec, "dockersh")
	for mode, owner := range map[uint32]int{0o2755: 0, 0o6755: 0, 0o4755: 1} {
		copyProgram(t, program(t), path, 0o755)
		must(t, os.Chown(path, owner, owner))
		must(t, unix.Chmod(path, mode))
		newBroker(t).run(how{path: path, uid: nobody}).refuses(bad)
	}
}

func TestOnlyAProgramOfRootIsStartedAsTheBroker(t *testing.T) {
	needRoot(t)
	path := filepath.Join(libexec, "dockershd-session")
	t.Cleanup(func() { _ = os.RemoveAll(path); _ = os.Chmod(libexec, 0o755) })
	const installed, hint = "dockersh: error: dockersh is not installed correctly: ", "\nhint: " + usererr.RunDoctor + "\n"
	write := func(mode uint32, owner int) error {
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			return err
		}
		must(t, os.Chown(path, owner, owner))
		return unix.Chmod(path, mode)
	}
	other := filepath.Join(tempDir(t), "other")
	must(t, os.WriteFile(other, nil, 0o755))
	for what, c := range map[string]struct {
		make func() error
		want string
	}{
		"nothing":                      {func() error { return nil }, "dockersh: error: the dockersh service is not installed: there is no " + path + hint},
		"a dangling link":              {func() error { return os.Symlink("/none/such", path) }, "dockersh: error: the dockersh service is not installed: there is no " + path + hint},
		"one that others can write":    {func() error { return write(0o757, 0) }, installed + path + " can be written by others than root" + hint},
		"one that the group can write": {func() error { return write(0o775, 0) }, installed + path + " can be written by others than root" + hint},
		"one of another user":          {func() error { return write(0o755, nobody) }, installed + path + " does not belong to root" + hint},
		"a directory":                  {func() error { return os.Mkdir(path, 0o755) }, installed + path + " is not a program" + hint},
		"no program":                   {func() error { return write(0o644, 0) }, installed + path + " is not a program" + hint},
		"a link to one elsewhere":      {func() error { return os.Symlink(other, path) }, installed + filepath.Dir(other) + " can be written by others than root" + hint},
		"in a directory of another user": {func() error { must(t, os.Chown(libexec, nobody, 0)); return write(0o755, 0) },
			installed + libexec + " does not belong to root" + hint},
		"in a directory that others can write": {func() error { must(t, os.Chmod(libexec, 0o757)); return write(0o755, 0) },
			installed + libexec + " can be written by others than root" + hint},
		"one that cannot be run": {func() error { must(t, write(0o755, 0)); return os.WriteFile(path, []byte("x"), 0o755) },
			"dockersh: error: cannot start the dockersh service: exec format error\nhint: end some of your processes, or " + usererr.RunDoctor + "\n"},
	} {
		must(t, os.RemoveAll(path))
		must(t, os.Chown(libexec, 0, 0))
		must(t, os.Chmod(libexec, 0o755))
		must(t, c.make())
		f := noBroker(t).run(how{})
		f.exits(255)
		if got := f.errors.whole(t); !strings.EqualFold(got, c.want) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

// A service may have ended a moment ago, and leaves its lock and sometimes its socket.
func TestServiceThatIsBeingRestartedIsAwaited(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for _, leavesSocket := range []bool{false, true} {
		b := withLock(t)
		if leavesSocket {
			must(t, bind(b.socket()))
		}
		f := b.run(how{uid: nobody}) // root would be its own broker
		b.listen()
		f.runsTo(3, b.accept())
	}
}

// withLock returns a broker that does not listen, but has since boot.
func withLock(t *testing.T) *broker {
	t.Helper()
	b := noBroker(t)
	must(t, os.WriteFile(filepath.Join(b.dir, "dockershd.lock"), nil, 0o600))
	return b
}
