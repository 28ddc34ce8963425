package bridge

import (
	"io"
	"sync"

	"github.com/dockersh/dockersh/internal/proto/frames"
)

// podOutputs is output of a pod that is to be written: at most a window of it.
type podOutputs struct {
	written chan struct{} // closed at the end, when all is written

	mu      sync.Mutex
	changed *sync.Cond
	waiting []podOutput
	size    int // of all that is not written yet
	ended   bool
}

type podOutput struct {
	kind frames.Kind
	data []byte
}

// begin begins to write outputs. Taken is called with what was written.
func (o *podOutputs) begin(out, errs io.Writer, taken func(n int)) {
	o.written, o.changed = make(chan struct{}), sync.NewCond(&o.mu)
	go func() {
		defer close(o.written)
		for w := o.next(); w != nil; w = o.next() {
			to := out
			if w.kind == frames.Errors {
				to = errs
			}
			_, _ = to.Write(w.data)
			o.forget(len(w.data)) // first: the agent sends more as soon as it may
			taken(len(w.data))
		}
	}()
}

// forget makes room for as much as was written.
func (o *podOutputs) forget(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.size -= n
}

// next returns output that waits; nil at the end.
func (o *podOutputs) next() *podOutput {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.waiting) == 0 && !o.ended {
		o.changed.Wait()
	}
	if len(o.waiting) == 0 {
		return nil
	}
	w := o.waiting[0]
	o.waiting = o.waiting[1:]
	return &w
}

// add adds output; frames.ErrFrame where that is more than the agent may send, or after the end.
func (o *podOutputs) add(k frames.Kind, data []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended || len(data) == 0 || o.size+len(data) > frames.Window {
		return frames.ErrFrame
	}
	o.size += len(data)
	if last := len(o.waiting) - 1; last >= 0 && o.waiting[last].kind == k {
		o.waiting[last].data = append(o.waiting[last].data, data...)
	} else {
		o.waiting = append(o.waiting, podOutput{k, append([]byte(nil), data...)})
	}
	o.changed.Signal()
	return nil
}

// end is the end of the output. What waits is still written.
func (o *podOutputs) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.changed.Signal()
}
