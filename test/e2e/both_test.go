//go:build e2e

package e2e

import (
	"reflect"
	"testing"
)

// both runs a test for a user with /bin/bash and for one with dockersh, in
// Debian and in busybox, for one whose terminals are recorded, for those whose
// sessions go over the engine's exec, for one in Podman, and for one with an engine of
// his own.
func both(t *testing.T, test func(t *testing.T, u *account)) {
	t.Helper()
	t.Run("bash", func(t *testing.T) { test(t, plain) })
	t.Run("dockersh", func(t *testing.T) { test(t, boxed) })
	t.Run("busybox", func(t *testing.T) { test(t, tiny) })
	if door != "direct" {
		t.Run("recorded", func(t *testing.T) { test(t, taped) })
	}
	eachStreamed(t, test)
	if door == "service" { // behind every door it is the same
		t.Run(inPodman.name, func(t *testing.T) { podmanEngine(t); test(t, inPodman.account(t)) })
	}
	if door == "direct" {
		t.Run(ownEngine.name, func(t *testing.T) { test(t, ownEngine.account(t)) })
	}
}

// same runs get for the bash user and for the dockersh user and asserts that
// both give the same.
func same[T any](t *testing.T, get func(t *testing.T, u *account) T) T {
	t.Helper()
	var host, inside T
	ran := 0
	t.Run("bash", func(t *testing.T) { host = get(t, plain); ran++ })
	t.Run("dockersh", func(t *testing.T) { inside = get(t, boxed); ran++ })
	if ran == 2 && !reflect.DeepEqual(host, inside) {
		t.Errorf("they differ\nbash:     %.800q\ndockersh: %.800q", any(host), any(inside))
	}
	return host
}
