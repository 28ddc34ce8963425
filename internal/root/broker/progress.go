package broker

import (
	"context"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// aliveEvery is how often a waiting front receives a message: it takes a long silence for
// the end of the broker, and we learn that it is gone. The front shows the last line when
// it has waited for a second.
const aliveEvery = time.Second

// reportProgress sends the front what is being done, until done. A front that is gone
// cancels the work.
func (f *front) reportProgress(cancel context.CancelFunc) (show func(line string), done func()) {
	var mu sync.Mutex // done is final: nothing may follow the answer
	over := false
	show = func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if over {
			return
		}
		f.Within(time.Second)
		if err := f.Send(&wire.Progress{Text: printable.Line(line)}); err != nil {
			over = true
			cancel()
		}
	}
	stop := make(chan struct{})
	go func() {
		t := time.NewTicker(aliveEvery)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				show("")
			case <-stop:
				return
			}
		}
	}()
	return show, func() {
		close(stop)
		mu.Lock()
		over = true
		mu.Unlock()
	}
}
