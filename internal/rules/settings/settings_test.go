package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func source(t *testing.T) (*Source, func(name, text string)) {
	dir := t.TempDir()
	s := &Source{Paths: [2]string{filepath.Join(dir, "dockershrc"), filepath.Join(dir, "dockersh")}, Owner: uint32(os.Geteuid())}
	return s, func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func image(t *testing.T, s *Source) string {
	t.Helper()
	f, err := s.Load()
	if err != nil {
		return err.Error()
	}
	e, err := f.Effective("someone", nil, nil)
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
	if err := os.Remove(s.Paths[0]); err != nil {
		t.Fatal(err)
	}
	expect("old")
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
