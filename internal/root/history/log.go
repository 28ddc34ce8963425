package history

import (
	"log/slog"
	"time"

	"github.com/dockersh/dockersh/internal/root/background"
)

// queued is how many events may wait for a slow disk: no login and no end of a session
// waits for it.
const queued = 1024

// Log writes events in the background. Refusals are minor: however many there are, they
// crowd no session out.
type Log struct{ writer *background.Writer[Event] }

// Open returns the writer of a file. It logs once that the file cannot be written, and
// how many events were lost when it can be written again.
func Open(path string, log *slog.Logger) *Log {
	failing := false
	write := func(e Event) error {
		err := Append(path, e)
		if err != nil && !failing {
			log.Error("the history of sessions cannot be written", "cause", err)
		}
		failing = err != nil
		return err
	}
	return &Log{background.New(queued, queued, write, func(n int) {
		log.Error("events of the history of sessions were lost", "number", n)
	})}
}

// Put queues an event, and never waits.
func (l *Log) Put(e Event) {
	if e.Kind == Refused {
		l.writer.PutMinor(e)
	} else {
		l.writer.Put(e)
	}
}

// Flush waits until the queued events are written, at most for limit.
func (l *Log) Flush(limit time.Duration) { l.writer.Flush(limit) }
