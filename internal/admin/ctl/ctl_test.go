package ctl

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestCommandThatDoesNotEndIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		hang := make(chan int)
		defer close(hang)
		defaults := false
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if code := untilEnd(ctx, func() { defaults = true }, func() int { return <-hang }); code != failed || time.Since(start) != time.Second+endLimit {
			t.Errorf("exit code %d after %v", code, time.Since(start))
		}
		if !defaults {
			t.Error("the next signal does not kill")
		}
		if code := untilEnd(ctx, func() {}, func() int { time.Sleep(endLimit / 2); return 7 }); code != 7 {
			t.Errorf("a command that cleans up: %d", code)
		}
	})
}
