package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/host/seen"
)

func source(t *testing.T) (*Reader, func(name, text string)) {
	dir := t.TempDir()
	s := &Reader{Paths: [2]string{filepath.Join(dir, "dockershrc"), filepath.Join(dir, "dockersh")}, Owner: uint32(os.Geteuid())}
	return s, func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func image(t *testing.T, s *Reader) string {
	t.Helper()
	f, err := s.Load()
	if err != nil {
		return err.Error()
	}
	e, err := f.Merge("someone", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e.ImageName
}

func TestFirstFileThatExistsCountsAndChangesAreSeen(t *testing.T) {
	s, write := source(t)
	expect := func(want string) {
		t.Helper()
		if got := image(t, s); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	expect("busybox")
	write("dockersh", "[dockersh]\nimagename = old\n")
	expect("old")
	write("dockershrc", "[dockersh]\nimagename = new1\n")
	expect("new1")
	write("dockershrc", "[dockersh]\nimagename = new2\n") // same size, same second
	expect("new2")
	// Also once the file is old enough to be kept in memory.
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(s.Paths[0], past, past); err != nil {
		t.Fatal(err)
	}
	expect("new2")
	expect("new2")
	write("dockershrc", "[dockersh]\nimagename = new3\n")
	expect("new3")
	write("dockershrc", "[dockersh]\nimagname = x\n")
	expect(s.Paths[0] + ":2:1: unknown setting")
	expect(s.Paths[0] + ":2:1: unknown setting") // and never the older file
}

// What the administrator wants is not known then, and the defaults may allow more than
// what was there.
func TestFileThatIsGoneIsNotTheDefaults(t *testing.T) {
	s, write := source(t)
	s.Seen = seen.Dir(t.TempDir())
	again := func() string { // in a process that starts
		return image(t, &Reader{Paths: s.Paths, Owner: s.Owner, Seen: s.Seen})
	}
	if got := again(); got != "busybox" {
		t.Errorf("no file since the host started: %q", got)
	}
	write("dockersh", "[dockersh]\nimagename = old\n")
	write("dockershrc", "[dockersh]\nimagename = new\n")
	image(t, s)
	if err := os.Rename(s.Paths[0], s.Paths[0]+".x"); err != nil {
		t.Fatal(err)
	}
	want := s.Paths[0] + ": was there, and is gone"
	if got := image(t, s); !strings.HasPrefix(got, want) {
		t.Errorf("the older file counts: %q", got)
	}
	if err := os.Remove(s.Paths[1]); err != nil { // which no process read
		t.Fatal(err)
	}
	for range 2 {
		if got := image(t, s); !strings.HasPrefix(got, want) {
			t.Errorf("got %q", got)
		}
	}
	if got := again(); !strings.HasPrefix(got, want) {
		t.Errorf("after a restart of the service: %q", got)
	}
	if err := os.Symlink("/nonexistent/dockershrc", s.Paths[0]); err != nil {
		t.Fatal(err)
	}
	if got := image(t, s); !strings.Contains(got, "a link that leads nowhere") {
		t.Errorf("got %q", got)
	}
	if err := os.Rename(s.Paths[0]+".x", s.Paths[0]); err != nil {
		t.Fatal(err)
	}
	if got := image(t, s) + again(); got != "newnew" {
		t.Errorf("it is back: %q", got)
	}
}

func TestOldFileThatIsGoneIsMissedToo(t *testing.T) {
	s, write := source(t)
	write("dockersh", "[dockersh]\nimagename = old\n")
	image(t, s)
	if err := os.Remove(s.Paths[1]); err != nil {
		t.Fatal(err)
	}
	if got := image(t, s); !strings.HasPrefix(got, s.Paths[1]+": was there, and is gone") {
		t.Errorf("got %q", got)
	}
	write("dockershrc", "[dockersh]\nimagename = new\n")
	if got := image(t, s); got != "new" {
		t.Errorf("the administrator moved it: %q", got)
	}
}

func TestLinkThatLeadsNowhereIsNotTheDefaults(t *testing.T) {
	for i := range 2 {
		s, _ := source(t)
		if err := os.Symlink("nowhere", s.Paths[i]); err != nil {
			t.Fatal(err)
		}
		if got := image(t, s); got != s.Paths[i]+": is a link that leads nowhere" {
			t.Errorf("got %q", got)
		}
	}
}

func TestFileWithoutASectionIsNotTheDefaults(t *testing.T) {
	for text, want := range map[string]string{
		"": ":1:1: the file has no section", "\n \n": ":1:1: the file has no section", "# memory = 1g\n": ":1:1: the file has no section",
		"\xef\xbb\xbf": "", "\x00\x00": "", "[dockersh]\n": "busybox", "[user \"a\"]": "busybox",
	} {
		s, write := source(t)
		write("dockershrc", text)
		if got := image(t, s); !strings.Contains(got, want) || got == "busybox" && want != got {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestFileThatOthersCanWriteIsRefused(t *testing.T) {
	s, write := source(t)
	write("dockershrc", "[dockersh]\nimagename = mine\n")
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(s.Paths[0], past, past); err != nil {
		t.Fatal(err)
	}
	if got := image(t, s); got != "mine" {
		t.Fatal(got)
	}
	for _, mode := range []os.FileMode{0o620, 0o602} {
		if err := os.Chmod(s.Paths[0], mode); err != nil {
			t.Fatal(err)
		}
		if got := image(t, s); !strings.Contains(got, "writable by no one else") {
			t.Errorf("mode %o: %q", mode, got)
		}
	}
	s.Owner++
	if got := image(t, s); !strings.Contains(got, "must belong to root") {
		t.Errorf("%q", got)
	}
}

func TestDirectoryInPlaceOfTheFileIsAnError(t *testing.T) {
	s, _ := source(t)
	if err := os.Mkdir(s.Paths[0], 0o700); err != nil {
		t.Fatal(err)
	}
	if got := image(t, s); !strings.Contains(got, "cannot be read") {
		t.Errorf("%q", got)
	}
}
