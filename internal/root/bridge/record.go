package bridge

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/asciicast"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// retry is how long nothing is tried after a line could not be written.
const retry = time.Second

// room in bytes is what a disk that was full must have for the recording to go on,
// so that it does not stop again at once.
const room = 1 << 20

// recorder writes down what a terminal shows. Once it has begun it does not fail: a
// session goes on while its disk is full, and the recording has a gap, which says
// so. There are only whole lines in the file.
type recorder struct {
	fd    int
	log   *slog.Logger
	begun time.Time

	mu         sync.Mutex
	end        int64 // of the last whole line
	text       asciicast.Text
	line       []byte // to be used again
	rows, cols uint16

	gap   time.Time // since when nothing could be written; zero: it can
	tried time.Time // when it was last tried
	lost  int       // bytes of output since then
}

// begin writes the header. An error means that nothing can be recorded.
func (r *recorder) begin(title string, m *wire.Start) error {
	r.begun, r.rows, r.cols = time.Now(), m.Rows, m.Cols
	h := asciicast.Header{Width: int(m.Cols), Height: int(m.Rows), Timestamp: r.begun.Unix(), Title: title, Env: map[string]string{"SHELL": m.Path}}
	if term := get(m.Env, "TERM"); term != "" {
		h.Env["TERM"] = term
	}
	return r.append(asciicast.AppendHeader(nil, h))
}

// Write records output.
func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text := r.text.Add(p); len(text) > 0 {
		r.event(asciicast.Output, text)
	}
	return len(p), nil
}

// resize records a new size.
func (r *recorder) resize(rows, cols uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows, r.cols = rows, cols
	r.event(asciicast.Resize, []byte(asciicast.SizeData(int(cols), int(rows))))
}

// close records what never became a whole character.
func (r *recorder) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rest := r.text.Rest(); len(rest) > 0 {
		r.event(asciicast.Output, rest)
	}
}

// event writes a line, and before it what there is to say of a gap.
func (r *recorder) event(kind string, data []byte) {
	now := time.Now()
	at, gap := now.Sub(r.begun), !r.gap.IsZero()
	r.line = r.line[:0]
	if gap && now.Sub(r.tried) >= retry && r.hasRoom() {
		r.line = asciicast.AppendEvent(r.line, at, asciicast.Marker, fmt.Sprintf("%d bytes in %s could not be recorded", r.lost, now.Sub(r.gap).Round(time.Second)))
		r.line = asciicast.AppendEvent(r.line, at, asciicast.Resize, asciicast.SizeData(int(r.cols), int(r.rows)))
	}
	if !gap || len(r.line) > 0 {
		r.line = asciicast.AppendEvent(r.line, at, kind, data)
		r.tried = now
		err := r.append(r.line)
		if err == nil {
			if gap {
				r.log.Info("it can be recorded again", "lost", r.lost, "seconds", int(now.Sub(r.gap).Seconds()))
				r.gap, r.lost = time.Time{}, 0
			}
			return
		}
		if !gap {
			r.gap = now
			r.log.Error("the session cannot be recorded for now", "cause", err)
		}
	}
	if kind == asciicast.Output {
		r.lost += len(data)
	}
}

// hasRoom tells whether the disk is worth a try.
func (r *recorder) hasRoom() bool {
	var fs unix.Statfs_t
	r.tried = time.Now()
	return unix.Fstatfs(r.fd, &fs) != nil || fs.Bfree*uint64(fs.Bsize) >= room
}

// append writes whole lines, or nothing.
func (r *recorder) append(lines []byte) error {
	for done := 0; done < len(lines); {
		n, err := sys.Pwrite(r.fd, lines[done:], r.end+int64(done))
		if err == nil && n == 0 {
			err = unix.EIO
		}
		if err != nil {
			_ = unix.Ftruncate(r.fd, r.end) // or the next line is written over it
			return err
		}
		done += n
	}
	r.end += int64(len(lines))
	return nil
}

// get finds a variable of an environment; the last one counts.
func get(env []string, name string) (value string) {
	for _, e := range env {
		if len(e) > len(name) && e[:len(name)] == name && e[len(name)] == '=' {
			value = e[len(name)+1:]
		}
	}
	return value
}
