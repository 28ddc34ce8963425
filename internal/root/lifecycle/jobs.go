package lifecycle

import (
	"maps"
	"sync"
	"time"
)

// jobs is the work that is under way, and what is remembered of each container between
// two looks.
type jobs struct {
	mu       sync.Mutex
	underWay map[string]bool
	failed   map[string]bool      // could not be reconciled; it is logged once
	asked    map[string]time.Time // when the agents were asked
	stopped  bool
	work     sync.WaitGroup
}

// add counts a piece of work, to be ended by work.Done; false after stop.
func (j *jobs) add() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.stopped {
		j.work.Add(1)
	}
	return !j.stopped
}

// stop waits for the work that is under way, and lets none begin.
func (j *jobs) stop() {
	j.mu.Lock()
	j.stopped = true
	j.mu.Unlock()
	j.work.Wait()
}

// begin counts the work for a container, to be ended by end; false while there is such
// work under way, and after stop.
func (j *jobs) begin(container string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.underWay[container] || j.stopped {
		return false
	}
	j.work.Add(1)
	if j.underWay == nil {
		j.underWay = map[string]bool{}
	}
	j.underWay[container] = true
	return true
}

func (j *jobs) end(container string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.underWay, container)
	j.work.Done()
}

// setFailed remembers whether a container could be reconciled, and reports whether that
// is news.
func (j *jobs) setFailed(container string, failed bool) (news bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	news = j.failed[container] != failed
	if j.failed == nil {
		j.failed = map[string]bool{}
	}
	if failed {
		j.failed[container] = true
	} else {
		delete(j.failed, container)
	}
	return news
}

// longestPause between two questions to a container's agents.
const longestPause = time.Minute

// mayAskAgents reports whether it is time to ask a container's agents again. What begins
// and ends between two questions is not seen.
func (j *jobs) mayAskAgents(container string, idleTimeout time.Duration) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	if now.Sub(j.asked[container]) < min(idleTimeout/10, longestPause) {
		return false
	}
	if j.asked == nil {
		j.asked = map[string]time.Time{}
	}
	j.asked[container] = now
	return true
}

// forgetOldQuestions forgets the questions that do not delay another one any more: some
// containers never come back.
func (j *jobs) forgetOldQuestions() {
	j.mu.Lock()
	defer j.mu.Unlock()
	maps.DeleteFunc(j.asked, func(_ string, at time.Time) bool { return time.Since(at) >= longestPause })
}
