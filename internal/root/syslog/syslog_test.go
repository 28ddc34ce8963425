package syslog

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/proto/printable"
)

func TestLogLineIsOneLineWithItsFields(t *testing.T) {
	var out bytes.Buffer
	l := New(&out, "test")
	slog.New(l.Handler()).With("uid", 7).Warn("refused", "user", "a\nb")
	l.Close(time.Second)
	if got, want := out.String(), "level=WARN msg=refused uid=7 user=\"a\\nb\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLogLineSteersNoTerminal(t *testing.T) {
	var out bytes.Buffer
	l := New(&out, "test")
	slog.New(l.Handler()).Warn("refused \u009b2J", "user", "a\u009b31m\u202e\u2066\u200f\x7f", "cause", errors.New("\x1b[2J\u061c"))
	l.Close(time.Second)
	if line := strings.TrimSuffix(out.String(), "\n"); strings.ContainsFunc(line, printable.IsUnsafe) || !strings.Contains(line, `a\u009b31m\u202e`) {
		t.Errorf("%q", line)
	}
}

// stuck is a reader that never reads.
type stuck struct{ release chan struct{} }

func (s stuck) Write(p []byte) (int, error) { <-s.release; return len(p), nil }

func TestStuckReaderDelaysNobody(t *testing.T) {
	s := stuck{make(chan struct{})}
	l := New(s, "test")
	log := slog.New(l.Handler())
	done := make(chan struct{})
	go func() {
		for range 3 * queued {
			log.Info("x")
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("logging waited for its reader")
	}
	close(s.release)
	l.Close(10 * time.Second)
}

func TestDroppedLinesAreCounted(t *testing.T) {
	var out bytes.Buffer
	s := stuck{make(chan struct{})}
	l := &Log{stderr: &out, lines: make(chan line, 1), minor: make(chan line, 1), ended: make(chan struct{})}
	l.put(line{text: "first\n"}, l.lines)
	l.put(line{text: "lost\n"}, l.lines)
	l.put(line{text: "lost\n"}, l.lines)
	go l.write()
	for range 100 {
		if len(l.lines) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	l.put(line{text: "last\n"}, l.lines)
	l.Close(time.Second)
	close(s.release)
	if !strings.Contains(out.String(), "number=2") {
		t.Errorf("got %q", out.String())
	}
}

// Sessions may end, and log it, while their broker does.
func TestLinesAfterCloseAreLost(t *testing.T) {
	var out bytes.Buffer
	l := New(&out, "test")
	log := slog.New(l.Handler())
	log.Info("before")
	l.Close(time.Second)
	log.Info("after")
	if got, want := out.String(), "level=INFO msg=before\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// slow is a reader that begins to read late.
type slow struct {
	begin chan struct{}
	out   bytes.Buffer
}

func (s *slow) Write(p []byte) (int, error) {
	<-s.begin
	return s.out.Write(p)
}

func TestMinorLinesCrowdNoOtherOut(t *testing.T) {
	s := &slow{begin: make(chan struct{})}
	l := New(s, "test")
	minor, log := slog.New(l.Handler()).With(Minor(), "uid", 7), slog.New(l.Handler())
	for range 2 * queued {
		minor.Warn("refused")
	}
	for range queued / 2 {
		log.Info("start")
	}
	close(s.begin)
	l.Close(20 * time.Second)
	got := s.out.String()
	if n := strings.Count(got, "msg=start"); n != queued/2 {
		t.Errorf("%d of %d lines are written", n, queued/2)
	}
	if n := strings.Count(got, "msg=refused uid=7\n"); n < queuedMinor || n > queuedMinor+1 {
		t.Errorf("%d minor lines", n)
	}
	if strings.LastIndex(got, "msg=start") > strings.LastIndex(got, "msg=refused") {
		t.Error("the minor lines come first")
	}
}
