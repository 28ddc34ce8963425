package ctl

import (
	"context"
	"io"
	"strings"
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
		var errs strings.Builder
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if code := untilEnd(ctx, func() { defaults = true }, &errs, func() int { return <-hang }); code != failed || time.Since(start) != time.Second+endLimit {
			t.Errorf("exit code %d after %v", code, time.Since(start))
		}
		if !defaults {
			t.Error("the next signal does not kill")
		}
		if errs.String() != "dockershctl: error: interrupted: this host does not answer\n" {
			t.Errorf("%q", errs.String())
		}
		if code := untilEnd(ctx, func() {}, io.Discard, func() int { time.Sleep(endLimit / 2); return 7 }); code != 7 {
			t.Errorf("a command that cleans up: %d", code)
		}
	})
}
