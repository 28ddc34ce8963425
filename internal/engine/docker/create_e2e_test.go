//go:build e2e

package docker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
)

func TestImageMayBeNamedByItsIDOrInFull(t *testing.T) {
	e := testEngine(t)
	image, err := e.ImageID(t.Context(), testImage)
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{image, strings.TrimPrefix(image, "sha256:")[:12], own, "docker.io/library/" + testImage} {
		s := spec(t)
		s.Image = ref
		made(t, e, s)
	}
}

func TestMissingImageIsNeverPulled(t *testing.T) {
	e, s := testEngine(t), spec(t)
	s.Image = own + "-none"
	s.Options = []string{"--pull=always"}
	if _, err := e.Create(t.Context(), s); !errors.Is(err, engine.ErrNoImage) {
		t.Errorf("got %v", err)
	}
	if _, err := e.ImageID(t.Context(), s.Image); !errors.Is(err, engine.ErrNoImage) {
		t.Errorf("image id: %v", err)
	}
}

// Each of these does what its administrator did not mean, and one of them
// makes a container with another image, name and user.
func TestRefusedOptionLeavesNothing(t *testing.T) {
	e := testEngine(t)
	before := howMany(t, e)
	for _, options := range [][]string{
		{"--bogus"}, {"-m", "lots"}, {"--init", testImage}, {"--init", "foo"}, {"-v"}, {"--help"}, {"--"},
		{"--env"}, {"--label"}, {"-m"}, {"--", testImage}, {testImage}, {"-l", engine.LabelCreate + "=x"}, {"-l", engine.LabelCreate + "=x", testImage},
		{"--mount", "type=bind,source=/nonexistent/x,target=/x"}, {"--network=" + own + "-none", "--volume=x:relative"},
	} {
		s := spec(t)
		s.Options = options
		made, err := e.Create(t.Context(), s)
		if !errors.Is(err, engine.ErrOption) || made != nil {
			t.Errorf("%q: %+v %v", options, made, err)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: more than a line: %q", options, err)
		}
		if _, err := e.Find(t.Context(), s.Name); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%q: a container is left: %v", options, err)
		}
	}
	nothingLeft(t, e, before)
}

func TestOurOptionsWinExceptForTheUser(t *testing.T) {
	e, s := testEngine(t), spec(t)
	s.Options = []string{"--name", own + "-other", "-u", "5:5", "-l", engine.LabelOwner + "=0", "--entrypoint", "/bin/sh", "-e", "DSH=yes"}
	r, err := e.conn.Inspect(t.Context(), made(t, e, s))
	if err != nil || r.Config.User != "1000:1001" || r.Config.Labels[engine.LabelOwner] != "1000" {
		t.Errorf("got %+v %v", r, err)
	}
	s = spec(t)
	s.Options, s.UserFirst = []string{"-u", "5:5"}, true
	if r, err = e.conn.Inspect(t.Context(), made(t, e, s)); err != nil || r.Config.User != "5:5" {
		t.Errorf("user first: got %+v %v", r, err)
	}
}

func TestNothingOfOurEnvironmentGetsInside(t *testing.T) {
	t.Setenv("DSHTEST", "secret")
	t.Setenv("DOCKER_HOST", "tcp://192.0.2.1:1")
	e, s := testEngine(t), spec(t)
	s.Env = []string{"DSHTEST", "HOME", "A=b"}
	id := made(t, e, s)
	r, err := e.conn.Inspect(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Config.Env {
		if v != "A=b" && !strings.HasPrefix(v, "PATH=") && strings.Contains(v, "=") {
			t.Errorf("inside: %q", v)
		}
	}
}

func TestPathsWithAnyCharacterAreMounted(t *testing.T) {
	e, s := testEngine(t), spec(t)
	dir := t.TempDir()
	for _, n := range []string{"a,b", `q"q`, "a=b", "sp ace", "ä", "a:b", ",readonly"} {
		source := filepath.Join(dir, n)
		if err := os.Mkdir(source, 0o755); err != nil {
			t.Fatal(err)
		}
		s.Mounts = append(s.Mounts, engine.Mount{Source: source, Target: "/mnt/" + n, ReadOnly: n == "a,b"})
	}
	id := made(t, e, s)
	r, err := e.conn.Inspect(t.Context(), id)
	if err != nil || len(r.Mounts) != len(s.Mounts) {
		t.Fatalf("got %+v %v", r.Mounts, err)
	}
	for _, want := range s.Mounts {
		found := false
		for _, m := range r.Mounts {
			found = found || m.Source == want.Source && m.Destination == want.Target && m.RW == !want.ReadOnly
		}
		if !found {
			t.Errorf("%+v is not among %+v", want, r.Mounts)
		}
	}
}

func TestCancelledCreateLeavesNothing(t *testing.T) {
	e := testEngine(t)
	before := howMany(t, e)
	for ms := range 12 {
		s := spec(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+8*ms)*time.Millisecond)
		start := time.Now()
		made, err := e.Create(ctx, s)
		cancel()
		if took := time.Since(start); took > dialect.FinishLimit+cleanLimit+time.Second {
			t.Errorf("cut after %d ms: took %v", 1+8*ms, took)
		}
		if err == nil {
			if err := e.Remove(t.Context(), made.ID); err != nil {
				t.Error(err)
			}
			continue
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cut after %d ms: %v", 1+8*ms, err)
		}
		if _, err := e.Find(t.Context(), s.Name); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("cut after %d ms: a container is left: %v", 1+8*ms, err)
		}
	}
	nothingLeft(t, e, before)
}

func TestTagOfAnotherImageLeavesNothing(t *testing.T) {
	e := testEngine(t)
	before := howMany(t, e)
	s := spec(t)
	s.ImageID = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	if _, err := e.Create(t.Context(), s); err == nil || errors.Is(err, engine.ErrOption) {
		t.Errorf("got %v", err)
	}
	nothingLeft(t, e, before)
}
