package scp

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// speak runs scp with these arguments in the working directory. The client sends all that it
// has at once. speak returns what the client gets, and the exit code.
func speak(t testing.TB, said string, args ...string) (got string, code int) {
	t.Helper()
	o, err := parseOptions(args)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	code = run(o, strings.NewReader(said), &out, io.Discard)
	return out.String(), code
}

func contents(t *testing.T, name, want string) {
	t.Helper()
	if b, err := os.ReadFile(name); err != nil || string(b) != want {
		t.Errorf("%s has %q, %v, want %q", name, b, err, want)
	}
}

func names(t testing.TB, dir string) (list []string) {
	t.Helper()
	_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error {
		list = append(list, path)
		return nil
	})
	return list
}

func umaskOf(t *testing.T, mask int) {
	t.Helper()
	old := unix.Umask(mask)
	t.Cleanup(func() { unix.Umask(old) })
}

func modeOf(t *testing.T, name string) os.FileMode {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestFileIsTaken(t *testing.T) {
	t.Chdir(t.TempDir())
	umaskOf(t, 0o022)
	if got, code := speak(t, "C0666 5 a\nhello\x00", "-t", "."); got != "\x00\x00\x00" || code != 0 {
		t.Errorf("%q, %d", got, code)
	}
	contents(t, "a", "hello")
	if m := modeOf(t, "a"); m != 0o644 {
		t.Errorf("mode %o", m)
	}
	// Under the name of the target, over a longer file that keeps its mode.
	if got, code := speak(t, "C0600 2 b\nhi\x00", "-t", "--", "a"); got != "\x00\x00\x00" || code != 0 {
		t.Errorf("%q, %d", got, code)
	}
	contents(t, "a", "hi")
	if m := modeOf(t, "a"); m != 0o644 {
		t.Errorf("mode %o", m)
	}
}

func TestTimesAndModesAreKept(t *testing.T) {
	t.Chdir(t.TempDir())
	umaskOf(t, 0o077)
	said := "T1000000000 0 1100000000 0\nD0755 0 d\nT1200000000 0 1300000000 0\nC0444 1 f\nx\x00E\n"
	if got, code := speak(t, said, "-r", "-p", "-t", "."); strings.Trim(got, "\x00") != "" || code != 0 {
		t.Errorf("%q, %d", got, code)
	}
	for name, want := range map[string]struct {
		mode os.FileMode
		time int64
	}{"d": {0o755, 1000000000}, "d/f": {0o444, 1200000000}} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want.mode || info.ModTime().Unix() != want.time {
			t.Errorf("%s: %v %v", name, info.Mode(), info.ModTime())
		}
	}
}

func TestNamesThatLeadElsewhereAreRefused(t *testing.T) {
	for _, name := range []string{"", ".", "..", "../x", "/x", "a/b", "a/", "a\x00b"} {
		for _, kind := range []string{"C0644 1 ", "D0755 0 "} {
			dir := t.TempDir()
			if err := os.Mkdir(dir+"/in", 0o700); err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir + "/in")
			got, code := speak(t, kind+name+"\nx\x00C0644 1 next\nx\x00", "-r", "-t", ".")
			if code != 1 || !strings.HasPrefix(got, "\x00\x01scp: error: unexpected filename:") {
				t.Errorf("%q: %q, %d", name, got, code)
			}
			if left := names(t, dir); !slices.Equal(left, []string{dir, dir + "/in"}) {
				t.Errorf("%q made %q", name, left)
			}
		}
	}
}

func TestNamesDoNotSteerATerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	got, _ := speak(t, "C0644 1 a\x1b]0;x\x07/b\n", "-t", ".")
	if strings.Contains(got, "\x1b") || strings.Count(got, "\n") != 1 {
		t.Errorf("%q", got)
	}
}

func TestMalformedLinesEndTheConnection(t *testing.T) {
	for _, said := range []string{"\n", "X0644 1 a\n", "C644 1 a\n", "C06444 1 a\n", "C0648 1 a\n", "C0644 -1 a\n", "C0644 99999999999999999999 a\n",
		"C0644 a\n", "C0644\n", "C+644 1 a\n", "T1 2\n", "T1 1000000 1 0\n", "T1 0 1 -1\n", "C0644 1 " + strings.Repeat("a", 5000) + "\n", "D0755 0 d\n"} {
		t.Chdir(t.TempDir())
		got, code := speak(t, said+"x\x00", "-t", ".")
		if code != 1 || !strings.HasPrefix(got, "\x00\x01scp: ") {
			t.Errorf("%q: %q, %d", said, got, code)
		}
		if left := names(t, "."); len(left) != 1 {
			t.Errorf("%q made %q", said, left)
		}
	}
}

func TestEarlyEndIsAnError(t *testing.T) {
	for _, said := range []string{"C0644 5 a\nhe", "C0644 5 a\nhello", "C0644", "D0755 0 d\n", "D0755 0 d\nC0644 1 f\nx\x00"} {
		t.Chdir(t.TempDir())
		if _, code := speak(t, said, "-r", "-t", "."); code != 1 {
			t.Errorf("%q: exit code %d", said, code)
		}
	}
}

// One file that cannot be written is not the end: the client sends none of its bytes.
func TestOneErrorIsNotTheEnd(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("a", 0o700); err != nil {
		t.Fatal(err)
	}
	got, code := speak(t, "C0644 1 a\nC0644 1 b\nx\x00\x01the client's error\nC0644 1 c\nx\x00", "-t", "-d", ".")
	if code != 1 || got != "\x00\x01scp: ./a: Is a directory\n\x00\x00\x00\x00" {
		t.Errorf("%q, %d", got, code)
	}
	contents(t, "b", "x")
	contents(t, "c", "x")
}

func TestDirectoryThatIsReplacedByALinkIsStillTheOne(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, d := range []string{"target", "elsewhere"} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	read, in := io.Pipe()
	answers, out := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(&options{sink: true, recursive: true, paths: []string{"target"}}, read, out, io.Discard)
		_ = out.Close()
	}()
	expect := func() {
		t.Helper()
		b := make([]byte, 1)
		if _, err := io.ReadFull(answers, b); err != nil || b[0] != 0 {
			t.Fatalf("%q, %v", b, err)
		}
	}
	expect()
	_, _ = io.WriteString(in, "D0700 0 d\n")
	expect()
	if err := os.Rename("target/d", "moved"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../elsewhere", "target/d"); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(in, "C0600 1 f\n")
	expect()
	_, _ = io.WriteString(in, "x\x00")
	expect()
	_, _ = io.WriteString(in, "E\n")
	expect()
	_ = in.Close()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
	contents(t, "moved/f", "x")
	if left := names(t, "elsewhere"); len(left) != 1 {
		t.Errorf("%q", left)
	}
}

func TestFileIsSent(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a", []byte("hello"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes("a", time.Unix(2, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if got, code := speak(t, "\x00\x00\x00\x00", "-p", "-f", "./a"); got != "T1 0 2 0\nC0640 5 a\nhello\x00" || code != 0 {
		t.Errorf("%q, %d", got, code)
	}
	if got, code := speak(t, "\x00\x00\x00", "-f", "no\x1bsuch", "a"); got != "\x01scp: nosuch: No such file or directory\nC0640 5 a\nhello\x00" || code != 1 {
		t.Errorf("%q, %d", got, code)
	}
	// The client does not want it.
	if got, code := speak(t, "\x00\x01no\n", "-f", "a"); got != "C0640 5 a\n" || code != 1 {
		t.Errorf("%q, %d", got, code)
	}
	if got, code := speak(t, "\x00\x02no\n", "-f", "a", "a"); got != "C0640 5 a\n\x01scp: the other side gave up\n" || code != 1 {
		t.Errorf("%q, %d", got, code)
	}
}

func TestOnlyRegularFilesAreOpened(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := unix.Mkfifo("fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("dir", 0o700); err != nil {
		t.Fatal(err)
	}
	want := "\x01scp: fifo: not a regular file\n\x01scp: dir: not a regular file\n"
	if got, code := speak(t, "\x00", "-f", "fifo", "dir"); got != want || code != 1 {
		t.Errorf("%q, %d", got, code)
	}
}

func TestNewlinesInNamesAreEscaped(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a\nC0644 1 evil", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := speak(t, "\x00\x00\x00", "-f", "a\nC0644 1 evil"); got != "C0600 0 a\\^JC0644 1 evil\n\x00" {
		t.Errorf("%q", got)
	}
}

// A tree goes from one scp to the other, as with scp -3.
func TestTreeGoesFromOneToTheOther(t *testing.T) {
	t.Chdir(t.TempDir())
	umaskOf(t, 0o022)
	for _, d := range []string{"from/a/b", "to"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	big := strings.Repeat("0123456789", 100_000)
	for name, text := range map[string]string{"from/1": "one", "from/a/empty": "", "from/a/b/big": big, "from/with space": "x"} {
		if err := os.WriteFile(name, []byte(text), 0o604); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("1", "from/link"); err != nil {
		t.Fatal(err)
	}
	aRead, aWrite := io.Pipe()
	bRead, bWrite := io.Pipe()
	codes := make(chan int, 2)
	go func() {
		codes <- run(&options{recursive: true, preserve: true, paths: []string{"from"}}, aRead, bWrite, os.Stderr)
		_ = bWrite.Close()
	}()
	go func() {
		codes <- run(&options{sink: true, recursive: true, preserve: true, paths: []string{"to"}}, bRead, aWrite, os.Stderr)
		_ = aWrite.Close()
	}()
	if a, b := <-codes, <-codes; a != 0 || b != 0 {
		t.Fatalf("exit codes %d and %d", a, b)
	}
	contents(t, "to/from/1", "one")
	contents(t, "to/from/link", "one")
	contents(t, "to/from/a/empty", "")
	contents(t, "to/from/a/b/big", big)
	contents(t, "to/from/with space", "x")
	if m := modeOf(t, "to/from/1"); m != 0o604 {
		t.Errorf("mode %o", m)
	}
}

func TestOptionsAreKnownOrRefused(t *testing.T) {
	o, err := parseOptions([]string{"-v", "-rp", "-d", "-t", "--", "-x"})
	if err != nil || !o.sink || !o.recursive || !o.preserve || !o.directory || !slices.Equal(o.paths, []string{"-x"}) {
		t.Errorf("%+v, %v", o, err)
	}
	for _, args := range [][]string{nil, {"-t"}, {"-f"}, {"a", "b"}, {"-tf", "a"}, {"-t", "a", "b"}, {"-S", "x", "-t", "a"}, {"-r", "a"}} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}

// Whatever a client says, nothing outside of its directory changes.
func FuzzSink(f *testing.F) {
	for _, said := range []string{
		"C0644 5 a\nhello\x00", "D0755 0 d\nC0600 1 f\nx\x00E\n", "T1 0 2 0\nC0644 0 a\n\x00", "C0644 1 ../a\nx\x00", "D0755 0 ..\nC0644 1 a\nx\x00E\n",
		"\x01error\n\x02fatal\n", "D0755 0 link\nC0644 1 a\nx\x00E\n", "D0755 0 d\nE\nE\nC0644 1 a\nx\x00",
	} {
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said string) {
		dir := t.TempDir()
		if err := os.Mkdir(dir+"/in", 0o700); err != nil {
			t.Fatal(err)
		}
		_, _ = speak(t, said, "-r", "-p", "-t", dir+"/in")
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Fatalf("%v, %v", entries, err)
		}
		_ = unix.Chmod(dir+"/in", 0o700)
	})
}

func FuzzControl(f *testing.F) {
	for _, line := range []string{"C0644 5 a", "D0755 0 d", "C0644 5 a b", "C0644  5 a", "C7777 9223372036854775807 x"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, err := parseControl(line)
		if err == nil && (c.name == "" || c.name == "." || c.name == ".." || strings.ContainsAny(c.name, "/\x00") || c.size < 0 || c.mode > 0o7777 ||
			c.kind != 'C' && c.kind != 'D') {
			t.Errorf("%q is %+v", line, c)
		}
	})
}
