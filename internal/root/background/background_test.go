package background

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// slow is a writer that begins late.
type slow struct {
	begin   chan struct{}
	written []int
	lost    []int
}

func newSlow() *slow { return &slow{begin: make(chan struct{})} }

func (s *slow) write(n int) error {
	<-s.begin
	s.written = append(s.written, n)
	return nil
}

func (s *slow) reportLost(n int) { s.lost = append(s.lost, n) }

func TestStuckWriterDelaysNobody(t *testing.T) {
	w := newWriter(1, 1, newSlow().write, nil) // nobody writes
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 10 {
			w.Put(n)
			w.PutMinor(n)
		}
		w.Flush(10 * time.Millisecond)
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("it waited for its writer")
	}
	if n := w.lost.Load(); n != 18 {
		t.Errorf("%d are counted", n)
	}
}

func TestLostItemsAreReportedOnceThereIsRoom(t *testing.T) {
	s := newSlow()
	w := newWriter(4, 4, s.write, s.reportLost)
	for n := range 10 {
		w.Put(n)
	}
	go w.run()
	close(s.begin)
	w.Flush(10 * time.Second)
	if !slices.Equal(s.written, []int{0, 1, 2, 3}) || !slices.Equal(s.lost, []int{6}) {
		t.Errorf("written %d, lost %d", s.written, s.lost)
	}
}

func TestItemThatCannotBeWrittenIsLost(t *testing.T) {
	s := newSlow()
	close(s.begin)
	w := New(8, 8, func(n int) error {
		if n < 3 {
			return errors.New("full")
		}
		return s.write(n)
	}, s.reportLost)
	for n := range 5 {
		w.Put(n)
	}
	w.Flush(10 * time.Second)
	if !slices.Equal(s.written, []int{3, 4}) || !slices.Equal(s.lost, []int{3}) {
		t.Errorf("written %d, lost %d", s.written, s.lost)
	}
}

func TestMinorItemsCrowdNoOtherOut(t *testing.T) {
	s := newSlow()
	w := New(64, 64, s.write, s.reportLost)
	for range 1000 {
		w.PutMinor(-1)
	}
	for n := range 64 {
		w.Put(n)
	}
	close(s.begin)
	w.Flush(20 * time.Second)
	minor := 0
	for _, n := range s.written {
		if n < 0 {
			minor++
		}
	}
	if minor < 64 || minor > 65 || len(s.written) != 64+minor {
		t.Errorf("%d minor ones of %d", minor, len(s.written))
	}
	if slices.Index(s.written, 63) > 65 {
		t.Errorf("minor ones come first: %d", s.written)
	}
}

// Sessions may end, and log it, while their broker does.
func TestItemsAfterAFlushAreWrittenToo(t *testing.T) {
	s := newSlow()
	close(s.begin)
	w := New(8, 8, s.write, s.reportLost)
	for n := range 2 {
		w.Put(n)
		w.Flush(10 * time.Second)
	}
	if !slices.Equal(s.written, []int{0, 1}) {
		t.Errorf("written %d", s.written)
	}
}
