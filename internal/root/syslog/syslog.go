// Package syslog writes the structured log: who, what, outcome. A line goes to
// syslog (and so to the journal) and to stderr.
package syslog

import (
	"context"
	"io"
	"log/slog"
	"log/syslog"
	"strconv"
	"strings"
	"sync"
	"time"
)

// queued is how many lines may wait for a slow reader. Beyond that they are
// counted and dropped: no login waits for a log.
const queued = 4096

type line struct {
	level slog.Level
	text  string
}

// Log writes lines in the background.
type Log struct {
	stderr io.Writer
	syslog *syslog.Writer // nil where there is none
	lines  chan line
	ended  chan struct{}

	mu      sync.Mutex
	dropped int
	closed  bool
}

// New logs to stderr and, where the host has it, to syslog with facility
// authpriv: the log is about logins.
func New(stderr io.Writer, tag string) *Log {
	l := &Log{stderr: stderr, lines: make(chan line, queued), ended: make(chan struct{})}
	if w, err := syslog.New(syslog.LOG_INFO|syslog.LOG_AUTHPRIV, tag); err == nil {
		l.syslog = w
	}
	go l.write()
	return l
}

// Close writes what is queued, as far as limit allows. What is logged afterwards is
// lost: sessions may end while their broker does.
func (l *Log) Close(limit time.Duration) {
	l.mu.Lock()
	l.closed = true
	close(l.lines)
	l.mu.Unlock()
	select {
	case <-l.ended:
	case <-time.After(limit):
	}
}

func (l *Log) write() {
	defer close(l.ended)
	for n := range l.lines {
		_, _ = io.WriteString(l.stderr, n.text) // nobody reads it: syslog may still
		switch {
		case l.syslog == nil:
		case n.level >= slog.LevelError:
			_ = l.syslog.Err(n.text)
		case n.level >= slog.LevelWarn:
			_ = l.syslog.Warning(n.text)
		default:
			_ = l.syslog.Info(n.text)
		}
	}
}

// put queues one line, or counts it as dropped.
func (l *Log) put(n line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if l.dropped > 0 {
		select {
		case l.lines <- line{slog.LevelError, "level=ERROR msg=\"log lines dropped\" number=" + strconv.Itoa(l.dropped) + "\n"}:
			l.dropped = 0
		default:
		}
	}
	select {
	case l.lines <- n:
	default:
		l.dropped++
	}
}

// Handler gives the log to log/slog.
func (l *Log) Handler() slog.Handler { return handler{log: l} }

// handler turns a record into one line of text.
type handler struct {
	log   *Log
	attrs []slog.Attr
	group string
}

func (h handler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	var b strings.Builder
	var text slog.Handler = slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: noTime})
	text = text.WithAttrs(h.attrs)
	if h.group != "" {
		text = text.WithGroup(h.group)
	}
	if err := text.Handle(ctx, r); err != nil {
		return err
	}
	h.log.put(line{r.Level, b.String()})
	return nil
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return h
}

func (h handler) WithGroup(name string) slog.Handler {
	h.group = name
	return h
}

// noTime leaves the time to syslog and the journal.
func noTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
