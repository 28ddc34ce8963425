package wait

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestWorkThatHangsIsGivenUpAndHoldsUpItsOwnerAlone(t *testing.T) {
	var p Patience
	end := make(chan struct{})
	for range mostHanging {
		if err := p.Do(t.Context(), 1, time.Millisecond, func() { <-end }); !errors.Is(err, ErrGivenUp) {
			t.Errorf("hanging work: %v", err)
		}
	}
	if err := p.Do(t.Context(), 1, time.Minute, func() { t.Error("begun beside") }); !errors.Is(err, ErrGivenUp) {
		t.Errorf("more work of the same owner: %v", err)
	}
	if err := p.Do(t.Context(), 2, time.Minute, func() {}); err != nil {
		t.Errorf("another owner: %v", err)
	}
	close(end)
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if err := p.Do(t.Context(), 1, time.Minute, func() {}); err == nil {
			break
		} else if time.Now().After(until) {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Do(ctx, 3, time.Minute, func() { time.Sleep(50 * time.Millisecond) }); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that has gone: %v", err)
	}
}
