package wait

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestCallersShareOnePieceOfWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group[int]
		wrong := errors.New("wrong")
		finish := make(chan struct{})
		go func() {
			if v, led, err := g.Do(t.Context(), "x", func() (int, error) { <-finish; return 7, wrong }); v != 7 || !led || err != wrong {
				t.Errorf("the leader: %v %v %v", v, led, err)
			}
		}()
		synctest.Wait()
		other := func() (int, error) { t.Error("the work was done twice"); return 0, nil }
		for range 5 {
			go func() {
				if v, led, err := g.Do(t.Context(), "x", other); v != 7 || led || err != wrong {
					t.Errorf("%v %v %v", v, led, err)
				}
				if v, err := g.Go(t.Context(), "y", func() (int, error) { return 8, nil }); v != 8 || err != nil {
					t.Errorf("another key: %v %v", v, err)
				}
			}()
		}
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, led, err := g.Do(ctx, "x", other); led || !errors.Is(err, context.Canceled) {
			t.Errorf("a caller that gave up: %v %v", led, err)
		}
		close(finish)
		synctest.Wait()
		if v, led, err := g.Do(t.Context(), "x", func() (int, error) { return 9, nil }); v != 9 || !led || err != nil || g.Len() != 0 {
			t.Errorf("the next piece of work: %v %v %v, %d left", v, led, err, g.Len())
		}
	})
}

func TestWorkGoesOnWithoutTheCallerThatStartedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group[int]
		finish := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if _, err := g.Go(ctx, "x", func() (int, error) { <-finish; return 7, nil }); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}()
		synctest.Wait()
		cancel()
		go func() {
			if v, err := g.Go(t.Context(), "x", func() (int, error) { return 0, nil }); v != 7 || err != nil {
				t.Errorf("%v %v", v, err)
			}
		}()
		synctest.Wait()
		close(finish)
		synctest.Wait()
	})
}
