package wait

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// log has the users in the order of their turns.
type log struct {
	mu    sync.Mutex
	users []uint32
}

func (l *log) get() []uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.users)
}

// worker acquires a slot and holds it for a second.
func worker(t *testing.T, turns *Turns, user uint32, starts *log) {
	release, err := turns.Acquire(t.Context(), user)
	if err != nil {
		t.Error(err)
		return
	}
	starts.mu.Lock()
	starts.users = append(starts.users, user)
	starts.mu.Unlock()
	time.Sleep(time.Second)
	release()
	release() // counts once
}

func isEmpty(t *testing.T, turns *Turns) {
	t.Helper()
	turns.mu.Lock()
	defer turns.mu.Unlock()
	if turns.taken != 0 || len(turns.held)+len(turns.queues)+len(turns.round) != 0 {
		t.Errorf("left: %d %v %v %v", turns.taken, turns.held, turns.queues, turns.round)
	}
}

func TestTurnsGoRoundByUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1, 1)
		var starts log
		for _, user := range []uint32{1, 1, 1, 1, 2, 2, 3} {
			go worker(t, turns, user, &starts)
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		if want := []uint32{1, 1, 2, 3, 1, 2, 1}; !slices.Equal(starts.get(), want) {
			t.Errorf("turns of %v, want %v", starts.get(), want)
		}
		isEmpty(t, turns)
	})
}

func TestOneUserLeavesASlotForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(6, 4)
		var starts log
		for range 60 {
			go worker(t, turns, 1, &starts)
		}
		synctest.Wait()
		if len(starts.get()) != 4 {
			t.Errorf("one user has %d slots", len(starts.get()))
		}
		begin := time.Now()
		for user := range uint32(2) {
			worker(t, turns, 2+user, &starts)
		}
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("two others took %v for their two seconds", took)
		}
		time.Sleep(time.Minute)
		if len(starts.get()) != 62 {
			t.Errorf("%d turns", len(starts.get()))
		}
	})
}

func TestSlotGoesToTheUserWithTheFewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(3, 3)
		var starts log
		for range 9 {
			go worker(t, turns, 1, &starts)
		}
		synctest.Wait()
		for range 9 {
			go worker(t, turns, 2, &starts)
		}
		time.Sleep(1500 * time.Millisecond)
		if got := starts.get()[3:]; len(got) != 3 || got[0]+got[1]+got[2] != 1+2+2 {
			t.Errorf("after the first three, turns of %v", got)
		}
		time.Sleep(time.Minute)
	})
}

func TestCallerThatGivesUpLeavesNoSlotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1, 1)
		release, err := turns.Acquire(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, user := range []uint32{1, 1, 2} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := turns.Acquire(ctx, user); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("user %d: %v", user, err)
			}
		}
		// The turn comes at the moment of giving up.
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			release, err := turns.Acquire(ctx, 3)
			if err == nil {
				release()
			}
			done <- err
		}()
		synctest.Wait()
		cancel()
		release()
		<-done
		if release, err = turns.Acquire(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		release()
		isEmpty(t, turns)
	})
}
