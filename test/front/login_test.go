package front_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// userFiles are what can be in the place of ~/.dockersh, and what the broker is to learn of it.
var userFiles = []struct {
	what    string
	make    func(path string) error
	want    []byte
	problem string
}{
	{"a file", func(p string) error { return os.WriteFile(p, []byte("te\x00xt\n"), 0o600) }, []byte("te\x00xt\n"), ""},
	{"nothing", func(string) error { return nil }, nil, ""},
	{"an empty file", func(p string) error { return os.WriteFile(p, nil, 0o600) }, nil, ""},
	{"the largest file", func(p string) error { return os.WriteFile(p, largest, 0o600) }, largest, ""},
	{"a larger one", func(p string) error { return os.WriteFile(p, append(largest, 'x'), 0o600) }, nil, "is larger than 64 KiB"},
	{"a link", func(p string) error { return os.Symlink("/etc/hostname", p) }, nil, "is a symbolic link"},
	{"a dangling link", func(p string) error { return os.Symlink("/nonexistent", p) }, nil, "is a symbolic link"},
	{"a link to itself", func(p string) error { return os.Symlink(p, p) }, nil, "is a symbolic link"},
	{"a FIFO", func(p string) error { return unix.Mkfifo(p, 0o600) }, nil, "is not a regular file"},
	{"a directory", func(p string) error { return os.Mkdir(p, 0o700) }, nil, "is not a regular file"},
	{"a terminal", func(p string) error { return os.Symlink("/dev/ptmx", p) }, nil, "is a symbolic link"},
	{"a socket", func(p string) error { return bind(p) }, nil, "cannot be read: no such device or address"},
}

var largest = bytes.Repeat([]byte("0123456789abcdef"), wire.MaxUserFile/16)

// bind creates a socket at which nobody listens.
func bind(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Bind(fd, &unix.SockaddrUnix{Name: path})
}

func TestOnlyARegularFileOfTheUserIsRead(t *testing.T) {
	t.Parallel()
	for _, c := range userFiles {
		home := tempDir(t)
		must(t, c.make(filepath.Join(home, ".dockersh")))
		login, _ := asked(t, how{env: []string{"HOME=" + home}}, &wire.Ready{})
		// The words of the C library begin with a capital letter.
		if !bytes.Equal(login.UserFile, c.want) || !strings.EqualFold(login.UserErr, c.problem) {
			t.Errorf("%s: %d bytes, %q", c.what, len(login.UserFile), login.UserErr)
		}
	}
}

// Files are read by processes of their own, which must not stay until the session ends.
func TestNothingIsLeftOfReadingFiles(t *testing.T) {
	t.Parallel()
	home := tempDir(t)
	must(t, os.WriteFile(filepath.Join(home, ".dockersh"), largest, 0o600))
	path := upper(t)
	s := begin(t, how{env: []string{"HOME=" + home, "SSH_CONNECTION=x", "SSH_AUTH_SOCK=" + path, "DISPLAY=localhost:10.0"}}, &wire.Ready{SSHAgent: true, X11: true})
	if !s.start.SSHAgent || len(s.login.UserFile) != len(largest) {
		t.Errorf("%+v", s.start)
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.pid, s.pid))
	must(t, err)
	if len(children) > 0 {
		t.Errorf("processes %s", children)
	}
	s.finish()
}

func TestFileOfAnotherUserIsNotRead(t *testing.T) {
	t.Parallel()
	needRoot(t)
	home := tempDir(t)
	file := filepath.Join(home, ".dockersh")
	for _, c := range []struct {
		mode fs.FileMode
		own  int
		uid  int
		want string
	}{
		{0o644, nobody, 0, "belongs to another user"}, // to root
		{0o644, 0, nobody, "belongs to another user"},
		{0o600, 0, nobody, "cannot be read: permission denied"},
		{0o600, nobody, nobody, ""},
	} {
		must(t, os.WriteFile(file, []byte("text"), c.mode))
		must(t, os.Chmod(file, c.mode))
		must(t, os.Chown(file, c.own, c.own))
		login, _ := asked(t, how{uid: c.uid, env: []string{"HOME=" + home}}, &wire.Ready{})
		if !strings.EqualFold(login.UserErr, c.want) || (string(login.UserFile) == "text") != (c.want == "") {
			t.Errorf("%+v: %q, %q", c, login.UserFile, login.UserErr)
		}
	}
}

func TestWithoutAHomeThereIsNoFile(t *testing.T) {
	t.Parallel()
	for _, home := range []string{"", "HOME=", "HOME=/nonexistent", "HOME=/dev/null"} {
		if login, _ := asked(t, how{env: []string{home}}, &wire.Ready{}); len(login.UserFile) != 0 || login.UserErr != "" {
			t.Errorf("%q: %q, %q", home, login.UserFile, login.UserErr)
		}
	}
}

func TestBrokerIsReadTheFileOfAnotherHome(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	f := b.run(how{})
	c := b.accept()
	expect[*wire.Login](c)
	for _, u := range userFiles {
		dir := tempDir(t)
		must(t, u.make(filepath.Join(dir, ".dockersh")))
		c.send(&wire.ReadFile{Dir: dir})
		if got := expect[*wire.UserFile](c); !bytes.Equal(got.UserFile, u.want) || !strings.EqualFold(got.UserErr, u.problem) {
			t.Errorf("%s: %d bytes, %q", u.what, len(got.UserFile), got.UserErr)
		}
	}
	c.send(&wire.ReadFile{})
	if got := expect[*wire.UserFile](c); len(got.UserFile) != 0 || got.UserErr != "" {
		t.Errorf("%+v", got)
	}
	s := &session{front: f, broker: c}
	s.greet(&wire.Ready{})
	s.finish()
}

// A directory's name may be longer than any path, or as long as the packet.
func TestHomeMayHaveAnyLength(t *testing.T) {
	t.Parallel()
	long := "/" + strings.Repeat("x/", 3000)
	login, _ := asked(t, how{env: []string{"HOME=" + long}}, &wire.Ready{})
	if !strings.EqualFold(login.UserErr, "cannot be read: file name too long") {
		t.Errorf("%q", login.UserErr)
	}
	b := newBroker(t)
	f := b.run(how{})
	c := b.accept()
	expect[*wire.Login](c)
	c.send(&wire.ReadFile{Dir: strings.Repeat("x", wire.MaxPacket-100)})
	if got := expect[*wire.UserFile](c); !strings.EqualFold(got.UserErr, "cannot be read: file name too long") {
		t.Errorf("%q", got.UserErr)
	}
	c.send(&wire.Error{Text: "no"})
	f.refuses("dockersh: error: no\n")
}

// sshauth returns a new name as sshd makes them for the file of SSH_USER_AUTH.
func sshauth(t *testing.T) string {
	t.Helper()
	file, err := os.CreateTemp("/tmp", "sshauth.")
	must(t, err)
	_ = file.Close()
	t.Cleanup(func() { _ = os.RemoveAll(file.Name()) })
	return file.Name()
}

func TestHowTheUserAuthenticatedIsReadFromTheFileOfSSHD(t *testing.T) {
	t.Parallel()
	text := bytes.Repeat([]byte("k"), wire.MaxAuthInfo)
	file, large, link, dir, fifo := sshauth(t), sshauth(t), sshauth(t), sshauth(t), sshauth(t)
	other := filepath.Join(tempDir(t), "sshauth.x")
	must(t, os.WriteFile(file, text, 0o600))
	must(t, os.WriteFile(other, text, 0o600))
	must(t, os.WriteFile(large, append(text, 'k'), 0o600))
	for _, path := range []string{link, dir, fifo} {
		must(t, os.Remove(path))
	}
	must(t, os.Symlink(file, link))
	must(t, os.Mkdir(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "x"), text, 0o600))
	must(t, unix.Mkfifo(fifo, 0o600))
	for path, want := range map[string][]byte{
		file: text, other: nil, large: nil, link: nil, dir: nil, dir + "/x": nil, fifo: nil, "": nil, "/tmp/sshauth.": nil, "/tmp/sshauth./": nil,
		"/tmp/sshauth.none": nil, "/tmp/../tmp/" + filepath.Base(file): nil, filepath.Base(file): nil,
	} {
		if login, _ := asked(t, how{env: []string{"SSH_USER_AUTH=" + path}}, &wire.Ready{}); !bytes.Equal(login.AuthInfo, want) {
			t.Errorf("%s: %d bytes", path, len(login.AuthInfo))
		}
	}
	if os.Geteuid() == 0 {
		must(t, os.Chmod(file, 0o644))
		if login, _ := asked(t, how{uid: nobody, env: []string{"SSH_USER_AUTH=" + file}}, &wire.Ready{}); len(login.AuthInfo) != 0 {
			t.Errorf("of another user: %d bytes", len(login.AuthInfo))
		}
	}
}

func TestDisplayIsAskedForOnlyOfSSHD(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  []string
		want bool
	}{
		{[]string{"DISPLAY=localhost:10.0", "SSH_CONNECTION=x"}, true},
		{[]string{"DISPLAY=:0", "SSH_CONNECTION=x"}, true},
		{[]string{"DISPLAY=:0"}, false},
		{[]string{"SSH_CONNECTION=x"}, false},
		{[]string{"SSH_CONNECTION=x", "DISPLAY="}, false},
		{[]string{"SSH_CONNECTION=", "DISPLAY=:0"}, false},
	} {
		if login, _ := asked(t, how{env: c.env}, &wire.Ready{}); login.X11 != c.want {
			t.Errorf("%q: %v", c.env, login.X11)
		}
	}
}
