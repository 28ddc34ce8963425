package broker

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/sessionlog"
)

// refusalPeriod is how often the further refusals of one user are written.
const refusalPeriod = time.Minute

// refusal is one that is written, or the last of those that were counted. Users without an
// account are one in this.
type refusal struct {
	event     history.Event // with the reason
	login     bool          // the history has refused logins alone
	container string
	cause     error
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
	whose := sessionlog.Refused{UID: f.uid, Login: login}
	if f.stranger {
		whose = sessionlog.Refused{All: true, Login: login}
	}
	e.refusals.Add(whose, e.refusalOf(f, err, login), func(r *refusal) { r.event.Client = clientAddress(f.process) })
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
		counted++ // with this one
	}
	one.event.Client = clientAddress(f.process)
	e.writeRefusal(one, counted)
}

// writeRefusal writes a refusal, or the last of several.
func (e *events) writeRefusal(r refusal, number int) {
	r.event.Number = number
	attrs := []any{"uid", r.event.UID, "pid", r.event.Pid, "container", r.container, "text", r.event.Reason, "cause", r.cause}
	if number > 0 {
		attrs = append(attrs, "number", number)
	}
	e.refused.Log(context.Background(), slog.LevelWarn, "refused", attrs...)
	if r.login {
		e.history(r.event)
	}
}
