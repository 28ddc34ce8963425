package frames

import (
	"testing"
	"time"
)

func TestCreditIsTheWindowUntilSomeWasTaken(t *testing.T) {
	c := NewCredit()
	used := 0
	for used < Window {
		n := c.Use(Window)
		if n <= 0 || n > MaxData {
			t.Fatalf("%d bytes may be sent", n)
		}
		used += n
	}
	waited := make(chan int, 1)
	go func() { waited <- c.Use(7) }()
	select {
	case n := <-waited:
		t.Fatalf("%d bytes beyond the window", n)
	case <-time.After(20 * time.Millisecond):
	}
	if err := c.Taken(Number(5)); err != nil {
		t.Fatal(err)
	}
	if n := <-waited; n != 5 {
		t.Errorf("got %d", n)
	}
	go func() { waited <- c.Use(7) }()
	c.End()
	if n := <-waited; n != 0 || c.Use(1) != 0 {
		t.Errorf("%d after the end", n)
	}
}

func TestNoMoreIsTakenThanWasSent(t *testing.T) {
	for _, bad := range [][]byte{Number(2), Number(1 << 31), Number(^uint32(0)), {1}, nil} {
		c := NewCredit()
		c.Use(1)
		if c.Taken(bad) == nil {
			t.Errorf("% x", bad)
		}
	}
}

// A sender that has used its window goes on when all of it was passed on, whatever is not reported yet.
func TestWhatIsNotReportedYetHoldsUpNobody(t *testing.T) {
	for _, each := range []int{1000, MaxData, MaxData - 1} {
		c := NewCredit()
		p := NewPassed(Window)
		reports := 0
		for sent := 0; sent < 20*Window; {
			n := c.Use(each) // waits for ever where it is held up
			sent += n
			if report := p.Add(n); report > 0 {
				reports++
				if err := c.Taken(Number(report)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if reports > 100 {
			t.Errorf("%d reports", reports)
		}
	}
}
