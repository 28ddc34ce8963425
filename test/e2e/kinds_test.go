//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// kind is a sort of account whose sessions go over the engine's exec. Its account
// is made for the first test that asks for it, and stays.
type kind struct {
	name string
	make func() (*account, error)

	once sync.Once
	user *account
	err  error
}

// streamed are the kinds. both runs its tests for each of them too.
var streamed = []*kind{
	{name: "adopted", make: func() (*account, error) { return byHand("dsh-debian", "/bin/bash", "sleep", "infinity") }},
	// A supervisor is process 1, which reaps what the sessions leave.
	{name: "supervised", make: func() (*account, error) { return byHand("dsh-busybox", "/bin/ash", "/bin/init") }},
	// An engine that is reached by TLS, in a container that dockersh made there.
	{name: "remote", make: func() (*account, error) { return abroad() }},
}

// elsewise says what of the table holds for an agent only, and why.
var elsewise = map[string]string{
	"TestDeathBySignalReachesTheClient": "the engine tells of a death by signal N as of exit code 128+N, which may as well be one",
	"TestCoreDumpIsNoNews":              "the engine tells of a death by signal N as of exit code 128+N, which may as well be one",
	"TestRCOfSSHDoesNothing":            "the front itself does nothing; the home of these users is mounted by hand",
}

// overStream says whether the account is one of the kinds.
func (a *account) overStream() bool {
	return slices.ContainsFunc(streamed, func(k *kind) bool { return k.user == a })
}

func (k *kind) account(t testing.TB) *account {
	t.Helper()
	k.once.Do(func() { k.user, k.err = k.make() })
	if errors.Is(k.err, errNotHere) {
		t.Skip(k.err)
	}
	if k.err != nil {
		t.Fatal(k.err)
	}
	return k.user
}

// eachStreamed runs a test for every kind to which it applies.
func eachStreamed(t *testing.T, test func(t *testing.T, u *account)) {
	t.Helper()
	if door != "service" {
		return // the bridge is the same behind every door
	}
	for _, k := range streamed {
		t.Run(k.name, func(t *testing.T) {
			top, _, _ := strings.Cut(t.Name(), "/")
			if why, ok := elsewise[top]; ok {
				t.Skip(why)
			}
			test(t, k.account(t))
		})
	}
}

// byHand is a user with a container that an administrator made for him: he is
// known in it, and has his home.
func byHand(image, shell string, command ...string) (*account, error) {
	a, err := addUser(front)
	if err != nil {
		return nil, err
	}
	name := "hand-" + a.name
	if err := a.set("containername = "+name, "adopt", "shell = "+shell); err != nil {
		return nil, err
	}
	create := append([]string{"create", "--name", name, "--volume", a.home + ":" + a.home, image}, command...)
	know := fmt.Sprintf("echo %s:x:%d:%d::%s:%s >>/etc/passwd; echo %s:x:%d: >>/etc/group", a.name, a.uid, a.gid, a.home, shell, a.name, a.gid)
	for _, args := range [][]string{create, {"start", name}, {"exec", name, "/bin/sh", "-c", know}} {
		if err := tryDocker(args...); err != nil {
			return nil, err
		}
	}
	return a, nil
}
