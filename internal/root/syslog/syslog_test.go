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
	l.Flush(time.Second)
	if got, want := out.String(), "level=WARN msg=refused uid=7 user=\"a\\nb\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLogLineSteersNoTerminal(t *testing.T) {
	var out bytes.Buffer
	l := New(&out, "test")
	slog.New(l.Handler()).Warn("refused \u009b2J", "user", "a\u009b31m\u202e\u2066\u200f\x7f", "cause", errors.New("\x1b[2J\u061c"))
	l.Flush(time.Second)
	if line := strings.TrimSuffix(out.String(), "\n"); strings.ContainsFunc(line, printable.IsUnsafe) || !strings.Contains(line, `a\u009b31m\u202e`) {
		t.Errorf("%q", line)
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
	l.Flush(20 * time.Second)
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
	if strings.Count(got, `level=ERROR msg="log lines dropped" number=`) != 1 {
		t.Error("the lines that were dropped are not counted once")
	}
}
