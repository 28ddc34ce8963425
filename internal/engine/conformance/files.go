package conformance

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
)

func filesBeforeStart(t *testing.T, s *Subject) {
	c := s.create(t, s.spec())
	if b, err := s.ReadFile(t.Context(), c.ID, "/etc/passwd"); err != nil || len(b) == 0 {
		t.Errorf("the image's file: %q %v", b, err)
	}
	if _, err := s.ReadFile(t.Context(), c.ID, "/etc/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	ok(t, s.PutFiles(t.Context(), c.ID, []engine.File{{Path: "/a", Mode: 0o755, Dir: true},
		{Path: "/a/b", Mode: 0o644, Data: []byte("x")}}))
	if b, err := s.ReadFile(t.Context(), c.ID, "/a/b"); err != nil || string(b) != "x" {
		t.Errorf("read back: %q %v", b, err)
	}
	for _, p := range []string{"relative", "/a/../b", "/"} {
		if err := s.PutFiles(t.Context(), c.ID, []engine.File{{Path: p}}); err == nil {
			t.Errorf("%s was written", p)
		}
	}
	ok(t, s.Start(t.Context(), c.ID))
	for _, when := range []string{"running", "stopped"} {
		if err := s.PutFiles(t.Context(), c.ID, []engine.File{{Path: "/x"}}); err == nil {
			t.Errorf("%s: it was written", when)
		}
		if _, err := s.ReadFile(t.Context(), c.ID, "/etc/passwd"); err == nil {
			t.Errorf("%s: it was read", when)
		}
		ok(t, s.Stop(t.Context(), c.ID, 0))
	}
}

func filesInMounts(t *testing.T, s *Subject) {
	spec, dir := s.spec(), t.TempDir()
	spec.Mounts = []engine.Mount{{Source: dir, Target: "/home/a"}}
	c := s.create(t, spec)
	for _, p := range []string{"/home/a/x", "/home/a"} {
		if err := s.PutFiles(t.Context(), c.ID, []engine.File{{Path: p, Data: []byte("x")}}); err == nil {
			t.Errorf("%s was written", p)
		}
	}
	ok(t, s.PutFiles(t.Context(), c.ID, []engine.File{{Path: "/home/ab", Data: []byte("x")}}))
}

// emptyDir returns an error if there is something in a directory of the host.
func emptyDir(t *testing.T, dir string) {
	t.Helper()
	if all, err := os.ReadDir(dir); err != nil || len(all) > 0 {
		t.Errorf("on the host there are %v %v", all, err)
	}
}

func filesBehindLinks(t *testing.T, s *Subject) {
	for _, target := range []string{"/data", "/data/in", "/way", "/way/in"} {
		spec, dir := s.spec(), t.TempDir()
		spec.Mounts = []engine.Mount{{Source: dir, Target: target}}
		c := s.create(t, spec)
		for _, p := range []string{"/way/in/x", "/data/in/x"} {
			// A file behind a hidden link lies below the mount, where nobody sees it.
			if err := s.PutFiles(t.Context(), c.ID, []engine.File{{Path: p, Data: []byte("x")}}); err == nil && !s.HidesLinks {
				t.Errorf("mount at %s: %s was written", target, p)
			}
			// The mount decides whose a directory there is.
			ok(t, s.PutFiles(t.Context(), c.ID, []engine.File{{Path: p, Mode: 0o755, UID: 1000, Dir: true}}))
		}
		emptyDir(t, dir)
		ok(t, s.PutFiles(t.Context(), c.ID, []engine.File{{Path: "/database", Data: []byte("x")},
			{Path: "/opt", Mode: 0o700, UID: 1000, Dir: true}}))
	}
	// Where nothing is mounted, the link leads where it leads.
	c := s.create(t, s.spec())
	ok(t, s.PutFiles(t.Context(), c.ID, []engine.File{{Path: "/way/x", Mode: 0o644, Data: []byte("x")}}))
	if b, err := s.ReadFile(t.Context(), c.ID, "/data/x"); err != nil || string(b) != "x" {
		t.Errorf("behind the link: %q %v", b, err)
	}
}

func filesAndNestedMounts(t *testing.T, s *Subject) {
	outer, inner := t.TempDir(), t.TempDir()
	ok(t, os.Symlink("/etc", filepath.Join(outer, "link")))
	ok(t, os.Mkdir(filepath.Join(outer, "dir"), 0o755))
	bare := s.create(t, s.spec()).ID
	for _, target := range []string{"/data/link", "/data/dir", "/way/dir"} {
		spec := s.spec()
		spec.Mounts = []engine.Mount{{Source: outer, Target: "/data"}, {Source: inner, Target: target}}
		c := s.create(t, spec)
		if err := s.CheckMounts(t.Context(), c.ID, bare); !errors.Is(err, engine.ErrMountInMount) {
			t.Errorf("mount at %s, looked for in a bare container: %v", target, err)
		}
		if err := s.PutFiles(t.Context(), c.ID, []engine.File{{Path: "/etc/passwd", Data: []byte("x")},
			{Path: "/way/x", Data: []byte("x")}}); !errors.Is(err, engine.ErrMountInMount) {
			t.Errorf("mount at %s: %v", target, err)
		}
		emptyDir(t, inner)
	}
	spec := s.spec()
	spec.Mounts = []engine.Mount{{Source: t.TempDir(), Target: engine.OwnDir, ReadOnly: true},
		{Source: t.TempDir(), Target: engine.OwnDir + "/run"}}
	ok(t, os.Mkdir(filepath.Join(spec.Mounts[0].Source, "run"), 0o755))
	c := s.create(t, spec)
	ok(t, s.PutFiles(t.Context(), c.ID, []engine.File{{Path: "/etc/passwd", Data: []byte("x")}}))
	ok(t, s.CheckMounts(t.Context(), c.ID, bare))
}
