// Package syslog is the handler of log/slog that writes to the system log. Each log line
// goes to syslog(3), and so to the journal, and to stderr; no caller waits for either.
package syslog

import (
	"context"
	"io"
	"log/slog"
	"log/syslog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// queued is how many lines may wait for a slow reader. Further ones are counted and
// dropped: no login waits for a log.
const queued = 4096

// queuedMinor is the same for lines of a logger with Minor.
const queuedMinor = 1024

type line struct {
	level slog.Level
	text  string
}

// Log writes lines in the background.
type Log struct {
	stderr io.Writer
	syslog *syslog.Writer // nil on a host without a system log
	lines  chan line
	minor  chan line // written while there are no others
	ended  chan struct{}

	mu      sync.Mutex
	dropped int
	closed  bool
}

// New starts a Log that writes to stderr and, where the host has one, to the system log
// under tag. The facility is authpriv, since the lines are about logins.
func New(stderr io.Writer, tag string) *Log {
	l := &Log{stderr: stderr, lines: make(chan line, queued), minor: make(chan line, queuedMinor), ended: make(chan struct{})}
	if w, err := syslog.New(syslog.LOG_INFO|syslog.LOG_AUTHPRIV, tag); err == nil {
		l.syslog = w
	}
	go l.write()
	return l
}

// Close waits until the queued lines are written, at most for limit. Later lines are
// lost: sessions may end while their broker does.
func (l *Log) Close(limit time.Duration) {
	l.mu.Lock()
	l.closed = true
	close(l.lines)
	close(l.minor)
	l.mu.Unlock()
	select {
	case <-l.ended:
	case <-time.After(limit):
	}
}

func (l *Log) write() {
	defer close(l.ended)
	for n, ok := l.next(); ok; n, ok = l.next() {
		l.writeLine(n)
		// Now that there is room again, once for all that were dropped.
		if len(l.lines) <= cap(l.lines)/2 && len(l.minor) <= cap(l.minor)/2 {
			l.mu.Lock()
			dropped := l.dropped
			l.dropped = 0
			l.mu.Unlock()
			if dropped > 0 {
				l.writeLine(line{slog.LevelError, "level=ERROR msg=\"log lines dropped\" number=" + strconv.Itoa(dropped) + "\n"})
			}
		}
	}
}

func (l *Log) writeLine(n line) {
	_, _ = io.WriteString(l.stderr, n.text) // if it fails, the system log may still work
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

// next waits for the next line to write; false after the last one.
func (l *Log) next() (n line, ok bool) {
	select {
	case n, ok = <-l.lines:
	default:
		select {
		case n, ok = <-l.lines:
		case n, ok = <-l.minor:
		}
	}
	if ok {
		return n, true
	}
	for _, queue := range []chan line{l.lines, l.minor} { // the log is closed: the rest
		if n, ok = <-queue; ok {
			return n, true
		}
	}
	return n, false
}

// Minor marks a logger whose lines anybody can cause in any number: they have a queue of
// their own, so that they crowd no other line out.
func Minor() slog.Attr { return slog.Bool(minorKey, true) }

const minorKey = "minor"

// put queues a line, or counts it as dropped.
func (l *Log) put(n line, queue chan line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	select {
	case queue <- n:
	default:
		l.dropped++
	}
}

// Handler returns the handler for log/slog.
func (l *Log) Handler() slog.Handler { return handler{log: l} }

// handler turns a slog.Record into one line of text.
type handler struct {
	log   *Log
	attrs []slog.Attr
	group string
	minor bool
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
	queue := h.log.lines
	if h.minor {
		queue = h.log.minor
	}
	h.log.put(line{r.Level, b.String()}, queue)
	return nil
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if slices.ContainsFunc(attrs, Minor().Equal) {
		h.minor = true
		attrs = slices.DeleteFunc(slices.Clone(attrs), Minor().Equal)
	}
	h.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return h
}

func (h handler) WithGroup(name string) slog.Handler {
	h.group = name
	return h
}

// noTime removes the time, which syslog and the journal add.
func noTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
