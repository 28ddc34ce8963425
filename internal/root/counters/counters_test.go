package counters

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

func TestLoginsAreCountedByTheirTimeAndRefusalsByTheirCode(t *testing.T) {
	c := Counters{Since: time.Unix(1000, 0)}
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			c.AddLogin(false, time.Millisecond)            // a bound belongs to what is up to it
			c.AddLogin(false, time.Millisecond+1)          // the next
			c.AddLogin(true, time.Hour)                    // longer than all
			c.AddLogin(true, -time.Second)                 // the clock was set
			c.AddRefusal(usererr.Busy)                     // the last code
			c.AddRefusal(usererr.Code(usererr.Busy + 100)) // of nobody
		})
	}
	all.Wait()
	m := c.Message()
	warm, cold := make([]uint64, len(wire.LoginTimes)+1), make([]uint64, len(wire.LoginTimes)+1)
	warm[2], warm[3], cold[0], cold[len(cold)-1] = 100, 100, 100, 100
	if !slices.Equal(m.Warm, warm) || !slices.Equal(m.Cold, cold) {
		t.Errorf("warm %v, cold %v", m.Warm, m.Cold)
	}
	if m.Started != 400 || m.WarmTime != 200e6+100 || m.ColdTime != 100*uint64(time.Hour) || m.Since != 1000 {
		t.Errorf("%+v", m)
	}
	if want := []uint64{100, 0, 0, 0, 0, 0, 100}; !slices.Equal(m.Refused, want) {
		t.Errorf("refused %v, want %v", m.Refused, want)
	}
}

func TestCountingALoginTakesNoMemory(t *testing.T) {
	var c Counters
	if n := testing.AllocsPerRun(100, func() { c.AddLogin(false, time.Millisecond); c.AddRefusal(usererr.Denied) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAddLogin(b *testing.B) {
	var c Counters
	for b.Loop() {
		c.AddLogin(false, time.Millisecond)
	}
}
