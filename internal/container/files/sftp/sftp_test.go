package sftp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/sys/unix"
)

// session serves a client in a new directory, which becomes the working directory. The
// functions send bytes to the server and read a packet of its answers.
func session(t testing.TB, args ...string) (in io.WriteCloser, out io.Reader, ended <-chan error) {
	t.Helper()
	o, err := parseOptions(args)
	if err != nil {
		t.Fatal(err)
	}
	inRead, inWrite := pipe(t)
	outRead, outWrite := pipe(t)
	done := make(chan error, 1)
	go func() {
		err := serve(inRead, func(parts ...[]byte) error {
			_, err := outWrite.Write(bytes.Join(parts, nil))
			return err
		}, o)
		_, _ = inRead.Close(), outWrite.Close()
		done <- err
	}()
	t.Cleanup(func() { _, _ = inWrite.Close(), outRead.Close() })
	return inWrite, outRead, done
}

// pipe has room for a few packets, as sshd's has.
func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// client is a client of a server with these arguments.
func client(t *testing.T, args ...string) *sftp.Client {
	t.Helper()
	t.Chdir(t.TempDir())
	in, out, _ := session(t, args...)
	c, err := sftp.NewClientPipe(out, in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, name, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func umaskOf(t *testing.T, mask int) {
	t.Helper()
	old := unix.Umask(mask)
	t.Cleanup(func() { unix.Umask(old) })
}

func modeOf(t *testing.T, name string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestFilesGoThere(t *testing.T) {
	c := client(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	f, err := c.Create("f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadFrom(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err = c.Open("f"); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := f.WriteTo(&got); err != nil || !bytes.Equal(got.Bytes(), data) {
		t.Errorf("%d of %d bytes came back: %v", got.Len(), len(data), err)
	}
}

func TestNewFilesHaveTheUmaskOfTheSession(t *testing.T) {
	umaskOf(t, 0o002)
	c := client(t)
	f, err := c.Create("f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := c.Mkdir("d"); err != nil {
		t.Fatal(err)
	}
	if f, d := modeOf(t, "f"), modeOf(t, "d"); f != 0o664 || d != 0o775 {
		t.Errorf("file %o, directory %o, want 664 and 775", f, d)
	}
}

// A client that copies a directory for its owner alone says so when it makes it.
func TestDirectoriesHaveTheModeThatTheClientNames(t *testing.T) {
	umaskOf(t, 0o022)
	c := raw(t)
	c.call(typeMkdir, appendU32(appendU32(appendStr(nil, "private"), attrPermissions), 0o700))
	if m := modeOf(t, "private"); m != 0o700 {
		t.Errorf("mode %o, want 700", m)
	}
	c.call(typeMkdir, appendU32(appendU32(appendU32(appendU64(appendU32(appendStr(nil, "all"), attrSize|attrUIDGID|attrPermissions), 1), 2), 3), 0o777))
	if m := modeOf(t, "all"); m != 0o755 {
		t.Errorf("mode %o, want 755", m)
	}
}

func TestRenameReplacesNothingUnlessAsked(t *testing.T) {
	c := client(t)
	write(t, "a", "a", 0o600)
	write(t, "b", "b", 0o600)
	if err := c.Rename("a", "b"); err == nil {
		t.Error("rename replaced a file")
	}
	if err := c.PosixRename("a", "b"); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile("b"); string(text) != "a" {
		t.Errorf("b has %q", text)
	}
	if err := c.Rename("b", "c"); err != nil {
		t.Error(err)
	}
}

func TestRemoveIsForFilesAndRmdirForDirectories(t *testing.T) {
	t.Chdir(t.TempDir())
	c := raw(t)
	_ = os.Mkdir("d", 0o700)
	write(t, "f", "", 0o600)
	if code := c.status(typeRemove, appendStr(nil, "d")); code == statusOK {
		t.Error("remove removed a directory")
	}
	if code := c.status(typeRmdir, appendStr(nil, "f")); code == statusOK {
		t.Error("rmdir removed a file")
	}
	if a, b := c.status(typeRemove, appendStr(nil, "f")), c.status(typeRmdir, appendStr(nil, "d")); a != statusOK || b != statusOK {
		t.Errorf("status %d and %d", a, b)
	}
}

func TestRealpathFollowsLinks(t *testing.T) {
	c := client(t)
	dir, err := filepath.EvalSymlinks(".")
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	_ = os.Mkdir("d", 0o700)
	if err := os.Symlink("d", "l"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{".": dir, "l": dir + "/d", "l/new": dir + "/d/new", "l/../x": dir + "/x", "": dir} {
		if got, err := c.RealPath(path); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", path, got, err, want)
		}
	}
	if got, err := c.RealPath("no/such"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestHomesAreExpanded(t *testing.T) {
	c := raw(t)
	t.Setenv("HOME", "/usr")
	for path, want := range map[string]string{"~": "/usr", "~/new": "/usr/new", "~root/": "/root", "/tmp": "/tmp"} {
		r := c.call(typeExtended, appendStr(appendStr(nil, extExpandPath), path))
		if r.u32(); r.str() != want {
			t.Errorf("%s is not %s", path, want)
		}
	}
	if code := c.status(typeExtended, appendStr(appendStr(nil, extExpandPath), "~nobodyhasthisname/x")); code != statusNoSuchFile {
		t.Errorf("status %d", code)
	}
}

func TestHomeDirectoryIsThatOfTheUser(t *testing.T) {
	c := raw(t)
	t.Setenv("HOME", "/usr")
	for name, want := range map[string]string{"": "/usr", "root": "/root"} {
		r := c.call(typeExtended, call(extHome, name))
		if r.u32(); r.str() != want {
			t.Errorf("%q: not %s", name, want)
		}
	}
	for _, name := range []string{"nobodyhasthisname", "../root", "root:x"} {
		if code := c.status(typeExtended, call(extHome, name)); code != statusFailure {
			t.Errorf("%q: status %d", name, code)
		}
	}
}

func TestNumbersOfUsersAndGroupsHaveNames(t *testing.T) {
	c := raw(t)
	ids := func(numbers ...uint32) string {
		var b []byte
		for _, n := range numbers {
			b = appendU32(b, n)
		}
		return string(b)
	}
	r := c.call(typeExtended, call(extNames, ids(0, 4294967294, 0), ids(4294967294, 0)))
	users, groups := &reader{b: r.bytes()}, &reader{b: r.bytes()}
	if a, b, c := users.str(), users.str(), users.str(); a != "root" || b != "" || c != "root" || users.bad || len(users.b) > 0 {
		t.Errorf("%q %q %q, %v", a, b, c, users)
	}
	if a, b := groups.str(), groups.str(); a != "" || b != "root" || groups.bad || len(groups.b) > 0 || r.bad || len(r.b) > 0 {
		t.Errorf("%q %q, %v", a, b, groups)
	}
	if r := c.call(typeExtended, call(extNames, "", "")); r.u32() != 0 || r.u32() != 0 || r.bad {
		t.Error("no numbers have names")
	}
	if code := c.status(typeExtended, call(extNames, ids(make([]uint32, 60_000)...), "")); code != statusFailure {
		t.Errorf("more names than an answer may have: status %d", code)
	}
}

// The flags of a file system in the protocol are 1 for read-only and 2 for no setuid programs.
func TestFiguresOfAFileSystemAreThoseOfTheKernel(t *testing.T) {
	c := raw(t)
	write(t, "f", "", 0o600)
	r := c.call(typeOpen, appendU32(appendU32(appendStr(nil, "f"), openRead), 0))
	handle := r.str()
	for _, body := range [][]byte{call(extStatVFS, "/proc"), call(extStatVFS, "f"), call(extFstatVFS, handle)} {
		path := "f"
		if bytes.Contains(body, []byte("/proc")) {
			path = "/proc"
		}
		var st unix.Statfs_t
		if err := unix.Statfs(path, &st); err != nil {
			t.Fatal(err)
		}
		r := c.call(typeExtended, body)
		var got [11]uint64
		for i := range got {
			got[i] = r.u64()
		}
		if got[0] != uint64(st.Bsize) || got[1] != uint64(st.Frsize) || got[2] != st.Blocks || got[5] != st.Files ||
			got[9] != uint64(st.Flags)&3 || got[10] != uint64(st.Namelen) || r.bad || len(r.b) > 0 {
			t.Errorf("%q: %v, want %+v", body, got, st)
		}
	}
	for _, body := range [][]byte{call(extStatVFS, "none"), call(extFstatVFS, "f999")} {
		if code := c.status(typeExtended, body); code != statusNoSuchFile {
			t.Errorf("%q: status %d", body, code)
		}
	}
}

func TestLimitsAreKept(t *testing.T) {
	c := raw(t)
	r := c.call(typeExtended, appendStr(nil, extLimits))
	if r.take(8); binary.BigEndian.Uint64(r.take(8)) != maxData || r.bad {
		t.Error("no limit of reads")
	}
}

func TestExtensionsWorkThatAreOffered(t *testing.T) {
	c := client(t)
	for _, e := range []string{"posix-rename@openssh.com", "statvfs@openssh.com", "hardlink@openssh.com", extFsync, extLsetstat, extCopyData, extLimits, extExpandPath, extFstatVFS, extHome, extNames} {
		if _, ok := c.HasExtension(e); !ok {
			t.Error("no " + e)
		}
	}
	write(t, "a", "a", 0o600)
	if err := c.Link("a", "b"); err != nil {
		t.Error(err)
	}
	if _, err := c.StatVFS("."); err != nil {
		t.Error(err)
	}
	f, err := c.OpenFile("a", os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Error(err)
	}
}

// call has the fields of an extension's request.
func call(extension string, fields ...any) []byte {
	b := appendStr(nil, extension)
	for _, f := range fields {
		switch f := f.(type) {
		case string:
			b = appendStr(b, f)
		case uint32:
			b = appendU32(b, f)
		case int:
			b = appendU64(b, uint64(f))
		}
	}
	return b
}

func TestDataIsCopied(t *testing.T) {
	c := raw(t)
	write(t, "from", "0123456789", 0o600)
	open := func(name string, flags uint32) string {
		r := c.call(typeOpen, appendU32(appendU32(appendStr(nil, name), flags), 0))
		return r.str()
	}
	from, to := open("from", openRead), open("to", openWrite|openCreate)
	if code := c.status(typeExtended, call(extCopyData, from, 2, 3, to, 1)); code != statusOK {
		t.Errorf("status %d", code)
	}
	if code := c.status(typeExtended, call(extCopyData, from, 8, 3, to, 4)); code != statusEOF {
		t.Errorf("status %d", code)
	}
	if code := c.status(typeExtended, call(extCopyData, from, 0, 0, from, 0)); code != statusFailure {
		t.Errorf("status %d", code)
	}
	if text, err := os.ReadFile("to"); string(text) != "\x0023489" {
		t.Errorf("%q, %v", text, err)
	}
	for _, handle := range []string{from, to} {
		if code := c.status(typeExtended, call(extFsync, handle)); code != statusOK {
			t.Errorf("status %d", code)
		}
		if code := c.status(typeClose, appendStr(nil, handle)); code != statusOK {
			t.Errorf("status %d", code)
		}
		if code := c.status(typeExtended, call(extFsync, handle)); code != statusNoSuchFile {
			t.Errorf("status %d", code)
		}
	}
}

func TestLinkKeepsWhatIsBehindIt(t *testing.T) {
	c := raw(t)
	write(t, "f", "", 0o600)
	if err := os.Symlink("f", "l"); err != nil {
		t.Fatal(err)
	}
	if code := c.status(typeExtended, call(extLsetstat, "l", uint32(attrPermissions), uint32(0o777))); code != statusFailure {
		t.Errorf("status %d", code)
	}
	if code := c.status(typeExtended, call(extLsetstat, "l", uint32(attrTimes), uint32(1), uint32(2))); code != statusOK {
		t.Errorf("status %d", code)
	}
	info, err := os.Lstat("l")
	if err != nil || info.ModTime().Unix() != 2 || modeOf(t, "f") != 0o600 {
		t.Errorf("%v, %v, %v", info, err, modeOf(t, "f"))
	}
}

func TestReadOnlyServerWritesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "f", "text", 0o600)
	in, out, _ := session(t, "-R")
	c, err := sftp.NewClientPipe(out, in)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := c.Open("f"); err != nil {
		t.Error(err)
	} else if text, err := io.ReadAll(f); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
	for what, err := range map[string]error{
		"mkdir": c.Mkdir("d"), "remove": c.Remove("f"), "rename": c.Rename("f", "g"), "posix-rename": c.PosixRename("f", "g"),
		"chmod": c.Chmod("f", 0o777), "symlink": c.Symlink("f", "g"), "link": c.Link("f", "g"), "truncate": c.Truncate("f", 0),
		"rmdir": c.RemoveDirectory("f"), "chtimes": c.Chtimes("f", time.Now(), time.Now()),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, flags := range []int{os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_CREATE, os.O_RDONLY | os.O_TRUNC} {
		for _, name := range []string{"f", "new"} {
			if _, err := c.OpenFile(name, flags); err == nil {
				t.Errorf("%s was opened with flags %x", name, flags)
			}
		}
	}
	entries, _ := os.ReadDir(".")
	if text, _ := os.ReadFile("f"); len(entries) != 1 || string(text) != "text" {
		t.Errorf("%v, f has %q", entries, text)
	}
}

func TestReadOnlyServerRefusesExtensionsThatWrite(t *testing.T) {
	c := raw(t, "-R")
	write(t, "f", "", 0o600)
	for _, body := range [][]byte{
		call(extLsetstat, "f", uint32(attrPermissions), uint32(0o777)), call(extCopyData, "f1", 0, 0, "f2", 0), call(extFsync, "f1"),
	} {
		if code := c.status(typeExtended, body); code != statusPermissionDenied {
			t.Errorf("%q: status %d", body, code)
		}
	}
	if m := modeOf(t, "f"); m != 0o600 {
		t.Errorf("mode %o", m)
	}
}

func TestRequestsCanBeRefused(t *testing.T) {
	c := client(t, "-P", "remove,posix-rename")
	write(t, "f", "", 0o600)
	if err := errors.Join(c.Rename("f", "g"), c.Mkdir("d")); err != nil {
		t.Error(err)
	}
	if c.PosixRename("g", "f") == nil {
		t.Error("a request that is refused was answered")
	}
	t.Chdir("/")
	c = client(t, "-p", "realpath")
	if _, err := c.RealPath("."); err != nil {
		t.Error(err)
	}
	if _, err := c.Stat("."); err == nil {
		t.Error("a request that is not allowed was answered")
	}
}

func TestOptionsAreObeyedOrRefused(t *testing.T) {
	for _, args := range [][]string{{"-x"}, {"-P", "nosuch"}, {"-p", ""}, {"-u", "999"}, {"-u"}, {"word"}, {"-Q", "x"}, {"-"}} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
	o, err := parseOptions([]string{"-eRf", "AUTH", "-lINFO", "-u027", "-d", "/srv/%u", "-Pwrite"})
	if err != nil || !o.readOnly || o.umask != 0o027 || o.dir != "/srv/%u" || !slices.Equal(o.refused, []string{"write"}) {
		t.Errorf("%+v, %v", o, err)
	}
}

// Requests of one client take effect in the order in which they came, whoever answers them.
func TestRequestsKeepTheirOrder(t *testing.T) {
	t.Chdir(t.TempDir())
	c := raw(t)
	for range 50 {
		write(t, "f", "", 0o600)
		// The library makes a link, and we remove it.
		c.send(typeSymlink, appendStr(appendStr(nil, "target"), "l"))
		c.send(typeRemove, appendStr(nil, "l"))
		c.send(typeMkdir, appendU32(appendStr(nil, "l"), 0))
		c.send(typeRmdir, appendStr(nil, "l"))
		for range 4 {
			if r := c.next(); r.u32() != statusOK {
				t.Fatal("a request came before another one's time")
			}
		}
	}
}

func TestServerEndsWithItsClient(t *testing.T) {
	in, out, ended := session(t)
	go func() { _, _ = io.Copy(io.Discard, out) }()
	_, _ = in.Write(finish(appendU32(newPacket(typeInit), 3)))
	_ = in.Close()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the server is still there")
	}
}
