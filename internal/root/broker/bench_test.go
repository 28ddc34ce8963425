package broker

import (
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// The processor time of a warm login in the broker, without sockets.
func BenchmarkPlan(b *testing.B) {
	w := newWorld(b)
	req := &wire.Login{Version: wire.Version}
	for b.Loop() {
		if _, err := w.broker.plan(b.Context(), w.me, req, source{id: "id"}); err != nil {
			b.Fatal(err)
		}
	}
}

// What a user waits for the broker at a warm login.
func BenchmarkWarmLogin(b *testing.B) {
	w := newWorld(b)
	w.enters()
	for b.Loop() {
		c := w.enters()
		_ = c.Close()
	}
}
