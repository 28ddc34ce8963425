package e2e

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
)

// ForEachUser runs a test for a user of bash and for users of dockersh: in Debian, in
// busybox, with a recorded terminal, over the engine's exec, in Podman, and with the
// user's own engine. In a run with pods, for the first four.
func ForEachUser(t *testing.T, test func(t *testing.T, u *Account)) {
	t.Helper()
	t.Run("bash", func(t *testing.T) { test(t, Plain) })
	t.Run("dockersh", func(t *testing.T) { test(t, Boxed) })
	t.Run("busybox", func(t *testing.T) { test(t, Tiny) })
	if Door != "direct" {
		t.Run("recorded", func(t *testing.T) { test(t, Recorded) })
	}
	ForEachExecUser(t, test)
	switch {
	case InPods():
	case Door == "service": // it is the same behind every door
		inPodman.run(t, test)
	case Door == "direct":
		inRootless.run(t, test)
	}
}

// SameResult runs get for the bash user and for the dockersh user, checks that both
// results are the same, and returns it.
func SameResult[T any](t *testing.T, get func(t *testing.T, u *Account) T) T {
	t.Helper()
	var host, inside T
	ran := 0
	t.Run("bash", func(t *testing.T) { host = get(t, Plain); ran++ })
	t.Run("dockersh", func(t *testing.T) { inside = get(t, Boxed); ran++ })
	if ran == 2 && !reflect.DeepEqual(host, inside) {
		t.Errorf("they differ\nbash:     %.800q\ndockersh: %.800q", any(host), any(inside))
	}
	return host
}

// A kind is a user of dockersh who is added for the first test that asks, and stays.
type kind struct {
	name   string
	engine Engine // may be none
	add    func() (*Account, error)

	once sync.Once
	user *Account
	err  error
}

func (k *kind) account(t testing.TB) *Account {
	t.Helper()
	if k.engine.Start != nil {
		k.engine.Start(t)
	}
	k.once.Do(func() { k.user, k.err = k.add() })
	if k.err != nil {
		t.Fatal(k.err)
	}
	return k.user
}

func (k *kind) run(t *testing.T, test func(t *testing.T, u *Account)) {
	t.Helper()
	t.Run(k.name, func(t *testing.T) { test(t, k.account(t)) })
}

// execUsers are the kinds of users whose sessions go over the engine's exec.
var execUsers = []*kind{
	{name: "adopted", add: func() (*Account, error) { return addAdopter("dsh-debian", "/bin/bash", "sleep", "infinity") }},
	// A supervisor is process 1, and reaps what the sessions leave behind.
	{name: "supervised", add: func() (*Account, error) { return addAdopter("dsh-busybox", "/bin/ash", "/bin/init") }},
	// An engine that is reached by TLS, with a container that dockersh made there.
	{name: "remote", engine: Remote, add: func() (*Account, error) { return addRemoteUser() }},
}

// ForEachExecUser runs a test for each kind of user whose sessions go over the engine's
// exec: through the service alone, since the bridge is the same behind every door.
func ForEachExecUser(t *testing.T, test func(t *testing.T, u *Account)) {
	t.Helper()
	if Door != "service" || InPods() {
		return
	}
	for _, k := range execUsers {
		k.run(t, test)
	}
}

// OverExec reports whether the account's sessions go over the engine's exec.
func (a *Account) OverExec() bool {
	return slices.ContainsFunc(execUsers, func(k *kind) bool { return k.user == a })
}

// NeedsAgent skips the part of a test that holds only where an agent runs.
func NeedsAgent(t testing.TB, u *Account, why string) {
	t.Helper()
	if u.OverExec() {
		t.Skip(why)
	}
}

// addAdopter adds a user for whom the administrator made a container by hand, in which
// the user exists and has their home.
func addAdopter(image, shell string, command ...string) (*Account, error) {
	a, err := addAccount(Front)
	if err != nil {
		return nil, err
	}
	name := "hand-" + a.Name
	if err := a.Set("containername = "+name, "adopt", "shell = "+shell); err != nil {
		return nil, err
	}
	create := append([]string{"create", "--name", name, "--volume", a.Home + ":" + a.Home, image}, command...)
	know := fmt.Sprintf("echo %s:x:%d:%d::%s:%s >>/etc/passwd; echo %s:x:%d: >>/etc/group", a.Name, a.UID, a.GID, a.Home, shell, a.Name, a.GID)
	for _, args := range [][]string{create, {"start", name}, {"exec", name, "/bin/sh", "-c", know}} {
		if err := TryDocker(args...); err != nil {
			return nil, err
		}
	}
	return a, nil
}
