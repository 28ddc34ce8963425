package front_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

func TestProgramEndsAsTheSessionDid(t *testing.T) {
	t.Parallel()
	for _, code := range []int{0, 1, 2, 7, 44, 126, 127, 128, 137, 143, 254, 255} {
		s := begin(t, how{}, &wire.Ready{})
		s.started(&wire.Started{})
		s.ends(&wire.Exit{Status: uint32(code) << 8})
		s.exits(code)
		if got := s.errors.whole(t); got != "" {
			t.Errorf("%d: %q", code, got)
		}
	}
	for _, sig := range []unix.Signal{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 24, 25, 29, 31, 32, 33, 34, 35, 50, 64} {
		s := begin(t, how{}, &wire.Ready{})
		s.started(&wire.Started{})
		s.ends(&wire.Exit{Status: uint32(sig)})
		s.diesBy(sig)
		if got := s.errors.whole(t); got != "" {
			t.Errorf("%v: %q", sig, got)
		}
	}
}

// A status comes from the container, and so may be any number.
func TestStatusThatIsNoEndIsADeathByKill(t *testing.T) {
	t.Parallel()
	for _, status := range []uint32{0x7f, 0x137f, 0xffff, 0xff, 65, 100, 0x7e, 0xc1} {
		s := begin(t, how{}, &wire.Ready{})
		s.started(&wire.Started{})
		s.ends(&wire.Exit{Status: status})
		s.diesBy(unix.SIGKILL)
	}
	// By these a process only stops, and the program must not.
	for _, sig := range []unix.Signal{unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU} {
		s := begin(t, how{}, &wire.Ready{})
		s.started(&wire.Started{})
		s.ends(&wire.Exit{Status: uint32(sig)})
		s.diesBy(unix.SIGKILL)
	}
	for status, want := range map[uint32]int{0xff000100: 1, 0x10007: 0} {
		s := begin(t, how{}, &wire.Ready{})
		s.started(&wire.Started{})
		s.ends(&wire.Exit{Status: status})
		if want == 0 {
			s.diesBy(7)
		} else {
			s.exits(want)
		}
	}
	s := begin(t, how{}, &wire.Ready{})
	s.started(&wire.Started{})
	s.ends(&wire.Exit{Status: 0x80 | uint32(unix.SIGSEGV)}) // with a core file
	s.diesBy(unix.SIGSEGV)
}

func TestSignalThatEndsNoProcessBecomesAnExitCode(t *testing.T) {
	t.Parallel()
	for _, sig := range []unix.Signal{unix.SIGCHLD, unix.SIGCONT, unix.SIGURG, unix.SIGWINCH} {
		s := begin(t, how{}, &wire.Ready{})
		s.started(&wire.Started{})
		s.ends(&wire.Exit{Status: uint32(sig)})
		s.exits(128 + int(sig))
	}
}

// It would be in the user's home.
func TestDeathLeavesNoCoreFile(t *testing.T) {
	t.Parallel()
	s := begin(t, how{via: `ulimit -c 2000; exec "$@"`}, &wire.Ready{})
	if got := s.start.Inherited.Limits[unix.RLIMIT_CORE].Soft; got == 0 {
		t.Fatal("there can be no core file")
	}
	s.started(&wire.Started{})
	s.ends(&wire.Exit{Status: uint32(unix.SIGSEGV)})
	s.diesBy(unix.SIGSEGV)
}

// The caller may have set it so (nohup).
func TestProgramDiesByASignalThatItWasToIgnore(t *testing.T) {
	t.Parallel()
	s := begin(t, how{via: `trap "" HUP INT TERM QUIT USR1 PIPE; exec "$@"`}, &wire.Ready{})
	s.started(&wire.Started{})
	s.ends(&wire.Exit{Status: uint32(unix.SIGHUP)})
	s.diesBy(unix.SIGHUP)
}

func TestLackOfMemoryIsNamedWhereItEndedTheSession(t *testing.T) {
	t.Parallel()
	const line = "dockersh: error: killed: the container ran out of memory\n"
	for _, c := range []struct {
		exit wire.Exit
		want string
	}{
		{wire.Exit{Status: 9, OutOfMemory: true}, line}, {wire.Exit{Status: 137 << 8, OutOfMemory: true}, line},
		{wire.Exit{Status: 9}, ""}, {wire.Exit{Status: 137 << 8}, ""}, {wire.Exit{Status: 0, OutOfMemory: true}, ""},
		{wire.Exit{Status: 1 << 8, OutOfMemory: true}, ""}, {wire.Exit{Status: 15, OutOfMemory: true}, ""}, {wire.Exit{Status: 0xffff, OutOfMemory: true}, line},
	} {
		s := begin(t, how{}, &wire.Ready{})
		s.started(&wire.Started{})
		s.ends(&c.exit)
		s.wait()
		if got := s.errors.whole(t); got != c.want {
			t.Errorf("%+v: %q", c.exit, got)
		}
	}
}

func TestMissingProgramIsNamedWithTheContainer(t *testing.T) {
	t.Parallel()
	line := func(name string) string {
		return "dockersh: " + name + " cannot be started in the container alice?_dockersh: install it there, or use an image that has it\n"
	}
	for command, want := range map[string]string{
		"rsync --server . /tmp": line("rsync"), "rsync": line("rsync"), "rsync --server | cat x": line("rsync"), "git-upload-pack 'x'": line("git-upload-pack"),
		"git-receive-pack x": line("git-receive-pack"), "git-upload-archive x": line("git-upload-archive"), "borg serve": line("borg"), "svnserve -t": line("svnserve"),
		"unison -server": line("unison"), "internal-sftp -f AUTH": line("sftp-server"), "internal-sftp": line("sftp-server"),
		"/usr/lib/openssh/sftp-server -l x": line("sftp-server"), "/sftp-server": line("sftp-server"), "scp -t x": line("scp"), "/usr/bin/scp -rpf x": line("scp"),
		"scp -r -p -d -q -v -t x": line("scp"), "scp -v\t-t": line("scp"),

		"nosuchprogram": "", "/usr/bin/rsync": "", "rsync\t--server": "", " rsync": "", "": "", "rsync;id": "", "'rsync'": "", "scp": "", "scp a b": "", "scp -x -t": "",
		"scp -- -t": "", "bin/scp -t x": "", "bin/sftp-server": "", "sftp-server": "", "git upload-pack x": "", "/internal-sftp": "", "rsyncd": "", "RSYNC": "", "rsync\xff": "",
	} {
		s := begin(t, how{argv: []string{"dockersh", "-c", command}}, &wire.Ready{Container: "alice\x1b_dockersh"})
		s.started(&wire.Started{})
		s.ends(&wire.Exit{Status: 127 << 8})
		s.exits(127)
		if got := s.errors.whole(t); got != want {
			t.Errorf("%q: %q", command, got)
		}
	}
	for _, c := range []struct {
		argv   []string
		status uint32
	}{
		{[]string{"dockersh", "-c", "rsync"}, 126 << 8}, {[]string{"dockersh", "-c", "rsync"}, 0}, {[]string{"dockersh", "-c", "rsync"}, 127},
		{[]string{"dockersh", "-c", "rsync", "x"}, 127 << 8}, {[]string{"dockersh", "rsync"}, 127 << 8}, {[]string{"-dockersh"}, 127 << 8},
	} {
		s := begin(t, how{argv: c.argv}, &wire.Ready{Container: "x"})
		s.started(&wire.Started{})
		s.ends(&wire.Exit{Status: c.status})
		s.wait()
		if got := s.errors.whole(t); got != "" {
			t.Errorf("%q %#x: %q", c.argv, c.status, got)
		}
	}
}

// Such a session has a user who reads what the shell itself writes.
func TestMissingProgramIsNotNamedOnATerminal(t *testing.T) {
	t.Parallel()
	master, slave := terminal(t)
	screen := collect(master)
	s := begin(t, how{argv: []string{"dockersh", "-c", "rsync"}, terminal: slave}, &wire.Ready{Container: "x"})
	_ = slave.Close()
	s.started(&wire.Started{})
	s.ends(&wire.Exit{Status: 127 << 8})
	s.exits(127)
	if got := screen.whole(t); got != "" {
		t.Errorf("%q", got)
	}
}

func TestOwnMessagesMayHaveNoReader(t *testing.T) {
	t.Parallel()
	r, w := pipe(t)
	_ = r.Close()
	for _, stderr := range []*os.File{w, open(t, "/dev/full", os.O_WRONLY), open(t, "/dev/null", os.O_RDONLY)} {
		b := newBroker(t)
		f := b.run(how{stderr: stderr})
		c := b.accept()
		expect[*wire.Login](c)
		c.send(&wire.Error{Text: strings.Repeat("x", 1000), Hint: "y"})
		f.exits(255)
	}
}
