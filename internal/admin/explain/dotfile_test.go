package explain

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

func TestOnlyARegularFileOfTheUserIsRead(t *testing.T) {
	uid := os.Geteuid()
	for _, c := range []struct {
		what string
		make func(path string) error
		uid  int
		want string
	}{
		{"a file", func(p string) error { return os.WriteFile(p, []byte("text"), 0o600) }, uid, ""},
		{"nothing", func(string) error { return nil }, uid, ""},
		{"an empty file", func(p string) error { return os.WriteFile(p, nil, 0o600) }, uid, ""},
		{"the largest file", func(p string) error { return os.WriteFile(p, make([]byte, wire.MaxUserFile), 0o600) }, uid, ""},
		{"a larger one", func(p string) error { return os.WriteFile(p, make([]byte, wire.MaxUserFile+1), 0o600) }, uid, "is larger than 64 KiB"},
		{"a file of another user", func(p string) error { return os.WriteFile(p, []byte("text"), 0o600) }, uid + 1, "belongs to another user"},
		{"a link", func(p string) error { return os.Symlink("/etc/hostname", p) }, uid, "is a symbolic link"},
		{"a FIFO", func(p string) error { return unix.Mkfifo(p, 0o600) }, uid, "is not a regular file"},
		{"a directory", func(p string) error { return os.Mkdir(p, 0o700) }, uid, "is not a regular file"},
		{"a terminal", func(p string) error { return os.Symlink("/dev/ptmx", p) }, uid, "is a symbolic link"},
	} {
		home := t.TempDir()
		path := filepath.Join(home, ".dockersh")
		if err := c.make(path); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		data, problem := readDotfile(home, c.uid)
		if problem != c.want {
			t.Errorf("%s: %q, want %q", c.what, problem, c.want)
		}
		if problem != "" && data != nil {
			t.Errorf("%s: %d bytes in spite of the problem", c.what, len(data))
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("%s took %v", c.what, d)
		}
		if c.want != "" {
			continue // reading a FIFO would block
		}
		if want, err := os.ReadFile(path); err == nil && !bytes.Equal(data, want) {
			t.Errorf("%s: %d bytes, want %d", c.what, len(data), len(want))
		}
	}
}

func TestWithoutAHomeThereIsNoFile(t *testing.T) {
	for _, home := range []string{"", "/nonexistent", "/dev/null"} {
		if data, problem := readDotfile(home, os.Geteuid()); data != nil || problem != "" {
			t.Errorf("%q: %q, %q", home, data, problem)
		}
	}
}
