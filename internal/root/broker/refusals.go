package broker

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/history"
)

// A user can be refused a thousand times a second. The first refusal of a user is written
// at once, with all that is known of it; those that follow become one line a minute, with
// the last one's reason and their number. Users without an account are one in this.

// refusalPeriod is how often the further refusals of one user are written.
const refusalPeriod = time.Minute

// maxRefused is how many users' refusals are counted for themselves.
const maxRefused = 1024

// refused says which refusals are counted together: those of a uid, or of all that have no
// account; and of logins, or of what else a front may not do.
type refused struct {
	uid   uint32
	all   bool
	login bool
}

// refusal is one that is written, or the last of those that were counted.
type refusal struct {
	event     history.Event // with the reason
	login     bool          // the history has refused logins alone
	container string
	cause     error
}

// refusals counts refusals by user.
type refusals struct {
	ctx   context.Context // its end is the end of the last period
	write func(refusal)

	mu    sync.Mutex
	last  map[refused]*refusal // its event.Number is how many were counted since the last line
	timer *time.Timer          // while there are some
}

// add writes the first refusal, completed by complete, and counts a further one.
func (r *refusals) add(whose refused, one refusal, complete func(*history.Event)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.last) >= maxRefused && r.last[whose] == nil {
		whose = refused{all: true, login: whose.login}
	}
	if last := r.last[whose]; last != nil {
		one.event.Number = last.event.Number + 1
		*last = one
		return
	}
	if r.last == nil {
		r.last = map[refused]*refusal{}
	}
	first := one
	r.last[whose] = &refusal{}
	if r.timer == nil {
		r.timer = time.AfterFunc(refusalPeriod, r.endPeriod)
	}
	complete(&first.event)
	r.write(first)
}

// endPeriod begins the next period, if there is still something to count.
func (r *refusals) endPeriod() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush()
	if len(r.last) > 0 && r.ctx.Err() == nil {
		r.timer.Reset(refusalPeriod)
	} else {
		r.timer = nil
	}
}

// flush writes what was counted, and forgets users who were refused no more.
func (r *refusals) flush() {
	for whose, last := range r.last {
		if last.event.Number == 0 {
			delete(r.last, whose)
			continue
		}
		r.write(*last)
		*last = refusal{}
	}
}

// Close writes what was counted.
func (r *refusals) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush()
}

// refusalOf returns the refusal of a front; login reports whether it is that of a login.
func (e *events) refusalOf(f *front, err error, login bool) refusal {
	u := usererr.For(err)
	one := refusal{event: e.newEvent(f, history.Refused), login: login, cause: u.Cause}
	one.event.Reason = printable.Line(u.Text)
	if f.plan != nil {
		one.container = f.plan.Container
	}
	return one
}

// countRefusal writes or counts a refusal.
func (e *events) countRefusal(f *front, err error, login bool) {
	if e.role != Service {
		e.countAmongProcesses(f, err, login)
		return
	}
	whose := refused{uid: f.uid, login: login}
	if f.stranger {
		whose = refused{all: true, login: login}
	}
	e.refusals.add(whose, e.refusalOf(f, err, login), func(event *history.Event) { event.Client = clientAddress(f.process) })
}

// countAmongProcesses writes or counts the refusal of a broker that has one login. The number
// of those that were counted stands in the next one that is written.
func (e *events) countAmongProcesses(f *front, err error, login bool) {
	one := e.refusalOf(f, err, login)
	whose := "unknown"
	if f.user != "" {
		whose = strconv.FormatUint(uint64(f.uid), 10)
	}
	write, counted, countErr := e.state.CountRefusal(whose, one.event.Time, refusalPeriod)
	if countErr != nil {
		e.log.Error("cannot count refused logins", "cause", countErr)
	}
	if !write {
		return
	}
	if counted > 0 {
		one.event.Number = counted + 1
	}
	one.event.Client = clientAddress(f.process)
	e.writeRefusal(one)
}

// writeRefusal writes a refusal, or the last of several.
func (e *events) writeRefusal(r refusal) {
	attrs := []any{"uid", r.event.UID, "pid", r.event.Pid, "container", r.container, "text", r.event.Reason, "cause", r.cause}
	if r.event.Number > 0 {
		attrs = append(attrs, "number", r.event.Number)
	}
	e.refused.Log(context.Background(), slog.LevelWarn, "refused", attrs...)
	if r.login {
		e.history(r.event)
	}
}
