package broker

import (
	"context"
	"time"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/root/sessions"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// enroll writes the record of a session, before anything is done for it: whoever
// thinks of taking its container away sees it from here on. It stays if we are
// killed, and then ends with the front.
func (b *Broker) enroll(ctx context.Context, f *front, id string, plan *policy.Plan) error {
	front, err := proc.Of(int(f.pid))
	if err != nil {
		return err // it has gone
	}
	f.seen = front
	r := sessions.Record{
		ID: id, UID: f.uid, User: plan.User.Name, Container: plan.Container,
		Pid: front.Pid, Start: front.Start, Since: time.Now(),
		Address: plan.Address, Key: plan.Key,
	}
	if plan.Settings.MaxSessions > 0 {
		// Of two who come at once only one gets the last place.
		unlock, err := b.sessions.Lock(ctx)
		if err != nil {
			return err
		}
		defer unlock()
		if err := plan.AdmitSession(b.sessions.Count(f.uid)); err != nil {
			return err
		}
	}
	if err := b.sessions.Put(r); err != nil {
		return err
	}
	f.record = &r
	return nil
}
