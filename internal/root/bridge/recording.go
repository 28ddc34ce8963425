package bridge

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/asciicast"
	"github.com/dockersh/dockersh/internal/proto/environ"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// retry is how long the recorder waits after a line could not be written.
const retry = time.Second

// enoughRoom is how many bytes a disk that was full must have free for the recording
// to go on, so that it does not stop again at once.
const enoughRoom = 1 << 20

// maxEvent is how many bytes of output one event has: the lines that package asciicast reads have a
// limit, and a byte may take six there.
const maxEvent = 32 << 10

// recorder writes the recording of a terminal. Once it has started it does not fail:
// the session goes on while the disk is full, and the recording marks that it has a
// gap. The file has only whole lines.
type recorder struct {
	fd      int
	log     *slog.Logger
	started time.Time

	mu         sync.Mutex
	end        int64 // of the last whole line
	text       asciicast.Text
	line       []byte // reused
	rows, cols uint16

	gap   time.Time // since when nothing could be written; zero: there is no gap
	tried time.Time // when writing was last tried
	lost  int       // bytes of output since then
}

// start writes the header. An error means that nothing can be recorded.
func (r *recorder) start(title string, m *wire.Start) error {
	r.started, r.rows, r.cols = time.Now(), m.Rows, m.Cols
	h := asciicast.Header{Width: int(m.Cols), Height: int(m.Rows), Timestamp: r.started.Unix(), Title: title,
		Env: map[string]string{"SHELL": m.Path}}
	if term := environ.Get(m.Env, "TERM"); term != "" {
		h.Env["TERM"] = term
	}
	return r.append(asciicast.AppendHeader(nil, h))
}

// Write records output.
func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for piece := range slices.Chunk(p, maxEvent) {
		if text := r.text.Add(piece); len(text) > 0 {
			r.event(asciicast.Output, text)
		}
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

// close records the bytes that never became a whole character.
func (r *recorder) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rest := r.text.Rest(); len(rest) > 0 {
		r.event(asciicast.Output, rest)
	}
}

// event writes an event, after a marker if a gap ends.
func (r *recorder) event(kind string, data []byte) {
	now := time.Now()
	at, gap := now.Sub(r.started), !r.gap.IsZero()
	r.line = r.line[:0]
	if gap && now.Sub(r.tried) >= retry && r.hasRoom() {
		r.line = asciicast.AppendEvent(r.line, at, asciicast.Marker,
			fmt.Sprintf("%d bytes in %s could not be recorded", r.lost, now.Sub(r.gap).Round(time.Second)))
		r.line = asciicast.AppendEvent(r.line, at, asciicast.Resize, asciicast.SizeData(int(r.cols), int(r.rows)))
	}
	if !gap || len(r.line) > 0 {
		r.line = asciicast.AppendEvent(r.line, at, kind, data)
		r.tried = now
		err := r.append(r.line)
		if err == nil {
			if gap {
				r.log.Info("the session is recorded again", "lost", r.lost, "seconds", int(now.Sub(r.gap).Seconds()))
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

// hasRoom reports whether the disk has enough room to try again.
func (r *recorder) hasRoom() bool {
	var fs unix.Statfs_t
	r.tried = time.Now()
	return unix.Fstatfs(r.fd, &fs) != nil || fs.Bfree*uint64(fs.Bsize) >= enoughRoom
}

// append writes whole lines, or nothing.
func (r *recorder) append(lines []byte) error {
	for done := 0; done < len(lines); {
		n, err := sys.Pwrite(r.fd, lines[done:], r.end+int64(done))
		if err == nil && n == 0 {
			err = unix.EIO
		}
		if err != nil {
			_ = unix.Ftruncate(r.fd, r.end) // else a part of a line would stay
			return err
		}
		done += n
	}
	r.end += int64(len(lines))
	return nil
}
