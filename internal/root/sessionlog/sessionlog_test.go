package sessionlog

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLinesBeyondTheMostAreCountedInOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := map[string]int{}
		l := &Lines{Max: 3, Period: time.Minute, LeftOut: func(user string, _ uint32, number int) { left[user] += number }}
		admitted := func(user string, uid uint32, of int) (n int) {
			for range of {
				if l.Admit(user, uid) {
					n++
				}
			}
			return n
		}
		if n := admitted("alice", 1001, 10); n != 3 {
			t.Errorf("%d lines of alice", n)
		}
		if n := admitted("bob", 1002, 3); n != 3 {
			t.Errorf("%d lines of bob", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(left) != 1 || left["alice"] != 7 {
			t.Errorf("left out: %v", left)
		}
		if n := admitted("alice", 1001, 4); n != 3 {
			t.Errorf("%d lines of alice in the next minute", n)
		}
		l.Close()
		l.Close()
		if left["alice"] != 8 {
			t.Errorf("left out with those of the last period: %v", left)
		}
	})
}
