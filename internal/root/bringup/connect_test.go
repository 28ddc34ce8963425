package bringup

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// Its user has stopped an agent, and logs in again and again.
func TestFewLoginsWaitForTheFullQueueOfAnAgent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.sock")
	fd, err := seqpacket.Bind(path, 0o600, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for {
		c, err := seqpacket.Connect(path)
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(c)
	}
	const logins = 100
	b := newColdLogin(t, enginetest.New(), "[dockersh]\n").b
	took := make(chan time.Duration, logins)
	for range logins {
		go func() {
			begun := time.Now()
			_, err := b.dial(path, "c")
			var e *usererr.Error
			if !errors.As(err, &e) {
				t.Error(err)
			}
			took <- time.Since(begun)
		}()
	}
	waited := 0
	for range logins {
		if <-took >= queueFullLimit {
			waited++
		}
	}
	if waited != maxWaiting {
		t.Errorf("%d logins waited", waited)
	}
	for range maxWaiting {
		if !b.full.TryAcquire(path) {
			t.Error("a login that has gone still counts")
		}
	}
}
