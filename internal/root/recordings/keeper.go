package recordings

import (
	"context"
	"log/slog"
	"math"
	"os"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

const (
	// interval is how often recordings are looked at while some are being written. A terminal writes
	// 17 MB a second.
	interval = 10 * time.Second
	// idleShare is how much longer the pause after a look is than the look: there may be millions of files.
	idleShare = 20
	// minPause is a little less, so that the next look is not one too late.
	minPause = interval - interval/10
	// maxFinish is how long a broker of one session stays for a look.
	maxFinish = 5 * time.Minute
)

// Keeper removes recordings that take too much space. Of several processes with one run-time
// directory one looks at a time.
type Keeper struct {
	Context context.Context // its end is the end of the work
	State   state.RunDir
	Limits  func() ([]policy.RecordLimit, error)
	Log     *slog.Logger

	looking sync.Mutex
	once    sync.Once
	started chan struct{}
	failed  map[string]string // the error that was logged last, by template; of the settings: ""
}

// Started is called before a recording is made, and when a service starts. It does not wait.
func (k *Keeper) Started() {
	k.once.Do(func() {
		k.started = make(chan struct{}, 1)
		go k.run()
	})
	select {
	case k.started <- struct{}{}:
	default: // it will look
	}
}

// run looks when a recording is made, as long as some are written, and once more after that.
func (k *Keeper) run() {
	due := false
	for {
		select {
		case <-k.Context.Done():
			return
		case <-k.started:
			due = true
		case <-time.After(interval):
		}
		written := k.State.Sessions().AnyRecorded()
		if due || written {
			due = !k.trim(0) || written
		}
	}
}

// Finish is called by a broker whose last session is over, before it ends: a look that is cut short
// removes nothing, and short sessions would keep all from being looked at. It waits for one that is
// under way, and looks once more unless another process does, or the pause is longer than patience.
func (k *Keeper) Finish(patience time.Duration) {
	if k.started == nil {
		return
	}
	if limits, err := k.Limits(); err != nil || len(limits) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(k.Context, maxFinish)
	defer cancel()
	wait.Until(ctx, func() { k.trim(patience) })
}

// trim looks at all places; false if it is too early for that, or another process does it.
func (k *Keeper) trim(patience time.Duration) bool {
	if os.Geteuid() != 0 {
		return true // it records nothing either
	}
	k.looking.Lock()
	defer k.looking.Unlock()
	end, ok := k.State.BeginTrim(minPause, patience)
	if !ok {
		return false
	}
	begun := time.Now()
	// A file system may hang, and who replaces this program must know.
	_ = wait.NewAbandonable().Do(k.Context, 0, math.MaxInt64, k.look)
	end(max(minPause, idleShare*time.Since(begun)))
	return true
}

func (k *Keeper) look() {
	limits, err := k.Limits()
	k.logFailure("", err)
	for _, l := range limits {
		if place, ok := PlaceOf(l.Template); ok {
			k.logFailure(l.Template, place.Except(l.Others).Trim(k.Context, l.Most, func(r Removed) {
				k.Log.Info("recordings removed", "directory", r.Dir, "number", r.Number, "bytes", r.Bytes)
			}))
		}
	}
}

// logFailure logs an error once, until it is another one or none.
func (k *Keeper) logFailure(of string, err error) {
	switch {
	case k.Context.Err() != nil:
	case err == nil:
		delete(k.failed, of)
	case k.failed[of] != err.Error():
		if k.failed == nil {
			k.failed = map[string]string{}
		}
		k.failed[of] = err.Error()
		k.Log.Error("cannot look for old recordings", "cause", err)
	}
}
