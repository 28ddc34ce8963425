package frames

import "sync"

// Credit is how much Input, or Output and Errors, a side may send before the other has Taken some; of
// a connection, how many Bytes. So each side reads all that comes, and keeps no more than a window of it.
type Credit struct {
	window  int
	mu      sync.Mutex
	changed *sync.Cond
	used    int
	ended   bool
}

// NewCredit returns that of a stream that begins.
func NewCredit() *Credit { return newCredit(Window) }

func newCredit(window int) *Credit {
	c := &Credit{window: window}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// Use waits until something may be sent, and returns how many of n bytes; 0 after the End.
func (c *Credit) Use(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.used == c.window && !c.ended {
		c.changed.Wait()
	}
	if c.ended {
		return 0
	}
	n = min(n, c.window-c.used, MaxData)
	c.used += n
	return n
}

// Taken takes the data of a frame of that kind. ErrFrame for more than was sent.
func (c *Credit) Taken(data []byte) error {
	n, err := ParseNumber(data)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || int64(n) > int64(c.used) {
		return ErrFrame
	}
	c.used -= int(n)
	c.changed.Broadcast()
	return nil
}

// Narrow makes the window of a stream that has sent nothing smaller.
func (c *Credit) Narrow(window int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.window = window
}

// End ends it: nothing more is sent.
func (c *Credit) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.changed.Broadcast()
}

// Passed is what was passed on and is not reported yet. A report goes through several programs, so it
// is not made for each few bytes; the other side always has most of its window.
type Passed struct{ window, n int }

// NewPassed returns that of a stream that begins, whose sender has that window or a larger one.
func NewPassed(window int) *Passed { return &Passed{window: window} }

// Add returns how many bytes are to be reported as Taken; 0 for none yet.
func (p *Passed) Add(n int) (report uint32) {
	if p.n += n; p.n < p.window/4 {
		return 0
	}
	report, p.n = uint32(p.n), 0
	return report
}
