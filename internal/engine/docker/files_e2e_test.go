//go:build e2e

package docker

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
)

func TestFileIsReadThroughLinksInsideTheContainer(t *testing.T) {
	e := testEngine(t)
	id := made(t, e, spec(t))
	if b, err := e.ReadFile(t.Context(), id, "/etc/passwd"); err != nil || string(b) != "root:x:0:0::/:/bin/sh\n" {
		t.Errorf("got %q %v", b, err)
	}
	// A link that climbs out of the root ends at the container's file, not the host's.
	host, err := os.ReadFile("/etc/hostname")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := e.ReadFile(t.Context(), id, "/etc/up"); err == nil && string(b) == string(host) {
		t.Errorf("the host's file was read: %q", b)
	}
	for _, p := range []string{"/etc/none", "/none/none", "/etc/dangling"} {
		if _, err := e.ReadFile(t.Context(), id, p); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", p, err)
		}
	}
	for _, p := range []string{"/etc", "/etc/loop", "/etc/big", "etc/passwd", "/dev"} {
		if b, err := e.ReadFile(t.Context(), id, p); err == nil || errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: %d bytes, %v", p, len(b), err)
		}
	}
}

func TestFilesArePutWithTheirOwnersAndMissingParents(t *testing.T) {
	e := testEngine(t)
	putFiles(t, e) // the second time the image's directories are remembered
	putFiles(t, e)
}

func putFiles(t *testing.T, e *Engine) {
	t.Helper()
	id := made(t, e, spec(t))
	err := e.PutFiles(t.Context(), id, []engine.File{
		{Path: "/etc/passwd", Mode: 0o644, Data: []byte("a:x:1000:1001::/home/x/a:/bin/sh\n")},
		{Path: "/home/x/a", Mode: 0o700, UID: 1000, GID: 1001, Dir: true},
		{Path: "/home/x/a/.profile", Mode: 0o4640, UID: 1000, GID: 1001, Data: []byte("x")},
		{Path: "/tmp/f", Mode: 0o600, UID: 70000, GID: 70001, Data: []byte("x")},
		{Path: "/opt/f", Mode: 0o600, Data: []byte("x")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := e.ReadFile(t.Context(), id, "/etc/passwd"); err != nil || string(b[:2]) != "a:" {
		t.Errorf("read back: %q %v", b, err)
	}
	if err := e.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	const want = "755 0:0 /home\n755 0:0 /home/x\n700 1000:1001 /home/x/a\n640 1000:1001 /home/x/a/.profile\n" +
		"1777 0:0 /tmp\n600 70000:70001 /tmp/f\n750 7:8 /opt\n644 0:0 /etc/passwd\n644 0:0 /usr/share/passwd\n"
	if got := inside(t, e, id, "busybox stat -c '%a %u:%g %n' /home /home/x /home/x/a /home/x/a/.profile /tmp /tmp/f /opt /etc/passwd /usr/share/passwd"); got != want {
		t.Errorf("got\n%s", got)
	}
}

// What an image has is not given away: it may be a directory of others.
func TestDirectoryThatTheImageHasStays(t *testing.T) {
	e := testEngine(t)
	for range 2 { // the second time it is remembered
		id := made(t, e, spec(t))
		err := e.PutFiles(t.Context(), id, []engine.File{
			{Path: "/opt", Mode: 0o700, UID: 1000, GID: 1001, Dir: true}, {Path: "/opt/a/b", Mode: 0o700, UID: 1000, GID: 1001, Dir: true},
			{Path: "/way/c", Mode: 0o700, UID: 1000, GID: 1001, Dir: true}, {Path: "/etc/loop/x", Mode: 0o700, UID: 1000, Dir: true},
		})
		if err == nil {
			t.Error("put behind a link that leads to itself")
		}
		err = e.PutFiles(t.Context(), id, []engine.File{
			{Path: "/opt", Mode: 0o700, UID: 1000, GID: 1001, Dir: true}, {Path: "/opt/a/b", Mode: 0o700, UID: 1000, GID: 1001, Dir: true},
			{Path: "/way/c", Mode: 0o700, UID: 1000, GID: 1001, Dir: true}, {Path: "/tmp", Mode: 0o700, Dir: true, Reset: true},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		const want = "750 7:8 /opt\n755 0:0 /opt/a\n700 1000:1001 /opt/a/b\n755 0:0 /data\n700 1000:1001 /data/c\n700 0:0 /tmp\n"
		if got := inside(t, e, id, "busybox stat -c '%a %u:%g %n' /opt /opt/a /opt/a/b /data /data/c /tmp"); got != want {
			t.Errorf("got\n%s", got)
		}
	}
}

// The engine makes the directories on the way to a mount, for root.
func TestDirectoryAboveAMountIsMade(t *testing.T) {
	e := testEngine(t)
	for range 2 {
		s := spec(t)
		s.Mounts = []engine.Mount{{Source: t.TempDir(), Target: "/home/a/work/data"}}
		id := made(t, e, s)
		home := engine.File{Path: "/home/a", Mode: 0o755, UID: 1000, GID: 1001, Dir: true}
		if err := e.PutFiles(t.Context(), id, []engine.File{home}); err != nil {
			t.Fatal(err)
		}
		if err := e.Start(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if got := inside(t, e, id, "busybox stat -c '%a %u:%g %n' /home /home/a"); got != "755 0:0 /home\n755 1000:1001 /home/a\n" {
			t.Errorf("got\n%s", got)
		}
	}
}

func TestNothingIsPutIntoAMountOnTheHost(t *testing.T) {
	e, s := testEngine(t), spec(t)
	dir := t.TempDir()
	s.Mounts = []engine.Mount{{Source: dir, Target: "/home/a"}}
	id := made(t, e, s)
	for _, p := range []string{"/home/a/x", "/home/a", "/home/a/../a/x", "relative", "/"} {
		if err := e.PutFiles(t.Context(), id, []engine.File{{Path: p, Data: []byte("x")}}); err == nil {
			t.Errorf("%s was written", p)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the host's directory: %v", err)
	}
	if err := e.PutFiles(t.Context(), id, []engine.File{{Path: "/home/ab", Data: []byte("x")}}); err != nil {
		t.Errorf("beside the mount: %v", err)
	}
}

func BenchmarkColdStart(b *testing.B) {
	e := open(b, testSocket)
	file := []engine.File{{Path: "/etc/passwd", Mode: 0o644, Data: []byte("x")}, {Path: "/home/a", Mode: 0o700, UID: 1000, Dir: true}}
	ctx := b.Context()
	for _, part := range []string{"create", "put", "start", "find"} {
		b.Run(part, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				s := engine.Spec{Name: own + "-bench", Image: testImage, Entrypoint: "/bin/sleep", Cmd: []string{"600"}, QuietLog: true}
				var id string
				do := func(name string, f func() error) {
					if name == part {
						b.StartTimer()
						defer b.StopTimer()
					}
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
				do("create", func() error {
					made, err := e.Create(ctx, s)
					if err == nil {
						id = made.ID
					}
					return err
				})
				do("put", func() error { return e.PutFiles(ctx, id, file) })
				do("start", func() error { return e.Start(ctx, id) })
				do("find", func() error { _, err := e.Find(ctx, s.Name); return err })
				do("remove", func() error { return e.Remove(ctx, id) })
				b.StartTimer()
			}
		})
	}
}
