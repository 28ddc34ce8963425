package bringup

import (
	"errors"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// Each bridge is a root process.
func TestOneUserHasALimitOfBridges(t *testing.T) {
	a := newColdLogin(t, enginetest.New(), "[dockersh]\n")
	a.b.Bridge = "/bin/cat" // it ends with its socket, too
	start := func(user uint32) (channel.Conn, error) {
		plan := *a.plan
		plan.User.UID = user
		conn, err := a.b.startBridge(Login{Plan: &plan}, &wire.Bridge{})
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
		return conn, err
	}
	var first channel.Conn
	for range maxBridges {
		conn, err := start(7)
		if err != nil {
			t.Fatal(err)
		}
		if first.Socket == nil {
			first = conn
		}
	}
	var busy *usererr.Error
	if _, err := start(7); !errors.As(err, &busy) || busy.Code != usererr.Busy {
		t.Errorf("one more: %v", err)
	}
	if _, err := start(8); err != nil {
		t.Errorf("another user: %v", err)
	}
	_ = first.Close()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := start(7); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the place of one that ended is not free")
		}
	}
	a.b.Bridge = "/nonexistent"
	for range 2 * maxBridges {
		if _, err := start(9); errors.As(err, &busy) {
			t.Fatal("one that was not started counts")
		}
	}
}
