package wait

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWorkHasItsResultWithinTheLimitOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work := func() int { time.Sleep(time.Second); return 7 }
		if n, ok := Within(2*time.Second, work); n != 7 || !ok {
			t.Errorf("in time: %d, %v", n, ok)
		}
		start := time.Now()
		if n, ok := Within(time.Second/2, work); n != 0 || ok {
			t.Errorf("too late: %d, %v", n, ok)
		}
		if took := time.Since(start); took != time.Second/2 {
			t.Errorf("it waited %v", took)
		}
		time.Sleep(time.Second)
	})
}
