package docker

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// open returns the engine on a socket.
func open(t testing.TB, socket string) *Engine {
	t.Helper()
	e, err := Open(engine.Address{Host: socket})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e.(*Engine)
}

func TestEnvironmentDoesNotNameTheEngine(t *testing.T) {
	t.Setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
	t.Setenv("DOCKER_API_VERSION", "1.24")
	socket := filepath.Join(t.TempDir(), "none")
	e := open(t, socket)
	_, err := e.Find(context.Background(), "x")
	if !errors.Is(err, engine.ErrDown) || !strings.Contains(err.Error(), socket) {
		t.Errorf("got %v", err)
	}
}

func TestEngineThatDoesNotListenIsDown(t *testing.T) {
	dir := t.TempDir()
	refused := filepath.Join(dir, "refused")
	l, err := net.Listen("unix", refused)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	for _, socket := range []string{filepath.Join(dir, "missing"), refused} {
		e := open(t, socket)
		if _, err := e.List(context.Background(), false); !errors.Is(err, engine.ErrDown) {
			t.Errorf("%s: %v", socket, err)
		}
		if err := e.Pull(context.Background(), "busybox", nil); !errors.Is(err, engine.ErrDown) {
			t.Errorf("%s: pull: %v", socket, err)
		}
	}
}

// silent listens and never answers.
func silent(t *testing.T) *Engine {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, c); _ = c.Close() }()
		}
	}()
	return open(t, l.Addr().String())
}

func TestEngineThatHangsIsDownAfterTheLimit(t *testing.T) {
	e := silent(t)
	err := e.conn.Call(context.Background(), 50*time.Millisecond, func(context.Context, *client.Client) error { return nil })
	if !errors.Is(err, engine.ErrDown) {
		t.Errorf("got %v", err)
	}
}

func TestCallEndsWithItsContext(t *testing.T) {
	e := silent(t)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	for name, call := range map[string]func() error{
		"find":  func() error { _, err := e.Find(ctx, "x"); return err },
		"start": func() error { return e.Start(ctx, "x") },
		"pull":  func() error { return e.Pull(ctx, "x", nil) },
	} {
		if err := call(); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, engine.ErrDown) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestInvalidNameNeverReachesTheEngine(t *testing.T) {
	e := silent(t)
	for _, n := range []string{"", "..", "../images", "a/b", "a b", "-a", ".", "a\n", "a%2f", "ä"} {
		if _, err := e.Find(context.Background(), n); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("find %q: %v", n, err)
		}
		if err := e.Remove(context.Background(), n); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("remove %q: %v", n, err)
		}
	}
	for _, r := range []string{"", "../containers/x", "A", "a b", "a@b"} {
		if _, err := e.ImageID(context.Background(), r); !errors.Is(err, engine.ErrNoImage) {
			t.Errorf("image %q: %v", r, err)
		}
	}
}

func TestEngineErrorsAreOneLine(t *testing.T) {
	if got := api.Error(errors.New("a\r\n\tb\x1b[31m\n")).Error(); got != "a b[31m" {
		t.Errorf("got %q", got)
	}
	if got := api.Error(errors.New(strings.Repeat("ä", printable.MaxLine))).Error(); len(got) > printable.MaxLine {
		t.Errorf("%d bytes kept", len(got))
	}
}

func TestProgressSumsUpTheLayers(t *testing.T) {
	p := newProgress("debian:12")
	say := func(id, status string, done, total int64) string {
		p.add(jsonstream.Message{ID: id, Status: status, Progress: &jsonstream.Progress{Current: done, Total: total}})
		return p.line()
	}
	for _, c := range []struct{ got, want string }{
		{say("12", "Pulling from library/debian", 0, 0), "pulling debian:12"},
		{say("a", "Downloading", 12_300_000, 40_000_000), "pulling debian:12: 12.3 of 40.0 MB"},
		{say("b", "Downloading", 0, 5_600_000), "pulling debian:12: 12.3 of 45.6 MB"},
		{say("b", "Download complete", 0, 0), "pulling debian:12: 17.9 of 45.6 MB"},
		{say("a", "Extracting", 3, 40_000_000), "pulling debian:12: 45.6 of 45.6 MB"},
		{say("c", "Downloading", 1_000_000, -1), "pulling debian:12: 46.6 of 46.6 MB"}, // a size that is not known
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	for i := range 5000 {
		say(strings.Repeat("x", i), "Downloading", 1, 1)
	}
	if len(p.layers) > maxLayers {
		t.Errorf("%d layers are kept", len(p.layers))
	}
}
