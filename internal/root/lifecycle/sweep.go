package lifecycle

import (
	"time"

	"github.com/dockersh/dockersh/internal/host/wait"
)

// headStart is the time that the broker of a session has to remove its entry before
// those that find it dead: it may know how the session ended.
const headStart = time.Second

// Sweep removes what killed brokers left: directories of containers that were never
// made, and entries of sessions. Nobody knows when those ended: for their containers it
// was now.
func (r *Reconciler) Sweep() {
	for _, name := range r.State.Containers() {
		r.removeUnused(name)
	}
	for _, name := range r.sweepSessions() {
		if _, err := r.State.Retentions().Get(name); err == nil {
			r.begin(name, true)
		}
	}
}

// sweepSessions removes the entries of sessions that ended without their broker, and
// returns their containers.
func (r *Reconciler) sweepSessions() (containers []string) {
	sessions := r.State.Sessions()
	dead := sessions.Dead()
	if len(dead) == 0 {
		return nil
	}
	wait.Sleep(r.ctx, headStart)
	if r.ctx.Err() != nil {
		return nil
	}
	for _, s := range dead {
		if !sessions.Remove(s) {
			continue // another process did
		}
		if !s.Waiting {
			r.SessionLost(s)
		}
		containers = append(containers, s.Container)
	}
	return containers
}
