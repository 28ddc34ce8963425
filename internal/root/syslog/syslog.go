// Package syslog is the handler of log/slog that writes to the system log. Each log line
// goes to syslog(3), and so to the journal, and to stderr, unless that is the journal too; no
// caller waits for either.
package syslog

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"log/syslog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/root/background"
)

// How many lines may wait for a slow reader, and how many minor ones: no login waits for
// a log.
const (
	queued      = 4096
	queuedMinor = 1024
)

type line struct {
	level slog.Level
	text  string
}

// Log writes lines in the background.
type Log struct {
	stderr  io.Writer
	journal bool // stderr leads to the journal
	dial    func() (*syslog.Writer, error)
	dialed  bool           // by the first line: a broker of one session answers before it has one
	syslog  *syslog.Writer // nil on a host without a system log
	writer  *background.Writer[line]
}

// New starts a Log that writes to stderr and, where the host has one, to the system log
// under tag. The facility is authpriv, since the lines are about logins.
func New(stderr io.Writer, tag string) *Log {
	dial := func() (*syslog.Writer, error) { return syslog.New(syslog.LOG_INFO|syslog.LOG_AUTHPRIV, tag) }
	return start(stderr, dial, isJournal(stderr))
}

func start(stderr io.Writer, dial func() (*syslog.Writer, error), journal bool) *Log {
	l := &Log{stderr: stderr, dial: dial, journal: journal}
	l.writer = background.New(queued, queuedMinor, l.write, func(n int) {
		_ = l.write(line{slog.LevelError, "level=ERROR msg=\"log lines dropped\" number=" + strconv.Itoa(n) + "\n"})
	})
	return l
}

// Flush waits until the queued lines are written, at most for limit.
func (l *Log) Flush(limit time.Duration) { l.writer.Flush(limit) }

// write writes a line to both, or to the journal once: by syslog(3), which has a facility
// and a level. No error is a reason to write it later.
func (l *Log) write(n line) error {
	if !l.journal {
		_, _ = io.WriteString(l.stderr, n.text) // if it fails, the system log may still work
	}
	if l.writeSyslog(n) != nil && l.journal {
		_, _ = io.WriteString(l.stderr, n.text)
	}
	return nil
}

func (l *Log) writeSyslog(n line) error {
	if !l.dialed {
		l.dialed = true
		l.syslog, _ = l.dial() // nil with an error
	}
	switch {
	case l.syslog == nil:
		return errNoSyslog
	case n.level >= slog.LevelError:
		return l.syslog.Err(n.text)
	case n.level >= slog.LevelWarn:
		return l.syslog.Warning(n.text)
	}
	return l.syslog.Info(n.text)
}

var errNoSyslog = errors.New("this host has no system log")

// Minor marks a logger whose lines anybody can cause in any number: they have a queue of
// their own, so that they crowd no other line out.
func Minor() slog.Attr { return slog.Bool(minorKey, true) }

const minorKey = "minor"

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
	put := h.log.writer.Put
	if h.minor {
		put = h.log.writer.PutMinor
	}
	put(line{r.Level, b.String()})
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
