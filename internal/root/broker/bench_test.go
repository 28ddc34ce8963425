package broker

import "testing"

// The processor time of a login's plan, without sockets.
func BenchmarkPlan(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		w.plan()
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

// What a connection waits for the broker, by the PAM module, where its container runs.
func BenchmarkWarmConnection(b *testing.B) {
	w := newJoinWorld(b)
	w.joins("")
	for b.Loop() {
		_, c := w.joins("")
		_ = c.Close()
	}
}
