//go:build e2e && kubernetes

package kubernetes

import (
	"regexp"
	"sync"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestLoginHostsShareThePodOfAUser(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(cluster))
	second := secondHost(t)
	u := newUser(t, "ephemeral")
	container := u.Name + "_dockersh"
	a, err := first.open(u)
	if err != nil {
		t.Fatal(err)
	}
	b, err := second.open(u)
	if err != nil {
		t.Fatal(err)
	}
	if a.pod != b.pod || a.pod == "" || len(podsOf(t, container)) != 1 {
		t.Errorf("in %s and in %s", a.pod, b.pod)
	}
	if n := len(leasesOf(t, container)); n != 2 {
		t.Errorf("%d sessions are known", n)
	}
	if out := ctl(t, "ls", "--json"); !regexp.MustCompile(`"name":"` + container + `"[^}]*"sessions":2,`).MatchString(out) {
		t.Errorf("ls: %s", out)
	}
	if code := a.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	e2e.Eventually(t, "the first host has left", func() bool { return len(leasesOf(t, container)) == 1 })
	if r, err := second.ssh(u, "cat /tmp/pod"); err != nil || r.Stdout != b.pod {
		t.Errorf("%+v %v", r, err)
	}
	if code := b.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	e2e.Eventually(t, "the pod goes with its last session", func() bool { return len(podsOf(t, container)) == 0 })
	e2e.Eventually(t, "no session is known", func() bool { return len(leasesOf(t, container)) == 0 })
}

func TestPodOfALoginHostThatDiedIsRemovedByAnother(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(cluster))
	second := secondHost(t)
	gone, kept := newUser(t, "ephemeral"), newUser(t)
	for _, u := range []*e2e.Account{gone, kept} {
		if _, err := second.open(u); err != nil {
			t.Fatal(err)
		}
	}
	pod := podsOf(t, kept.Name+"_dockersh")
	second.kill()
	if r, err := first.ssh(kept, "echo in"); err != nil || r.Stdout != "in\n" {
		t.Errorf("the pod that stays: %+v %v", r, err)
	}
	within := 5 * e2e.Limit
	if !e2e.Within(within, func() bool { return len(podsOf(t, gone.Name+"_dockersh")) == 0 }) {
		t.Error("the ephemeral pod stays")
	}
	if !e2e.Within(within, func() bool { return len(leasesOf(t, kept.Name+"_dockersh")) == 0 }) {
		t.Error("sessions of a dead host count")
	}
	if now := podsOf(t, kept.Name+"_dockersh"); len(now) != 1 || now[0] != pod[0] {
		t.Errorf("%v became %v", pod, now)
	}
}

// manyUsers is how many users log in at once.
const manyUsers = 10

// Many users log in at once, each through both hosts.
func TestEachUserHasOnePodThroughTwoLoginHosts(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(cluster))
	hosts := []*loginHost{first, secondHost(t)}
	users := make([]*e2e.Account, manyUsers)
	for i := range users {
		users[i] = newUser(t)
	}
	got := make([][2]string, len(users))
	var all sync.WaitGroup
	for i, u := range users {
		for at, h := range hosts {
			all.Go(func() {
				o, err := h.open(u)
				if err != nil {
					t.Errorf("%s through %s: %v", u.Name, h.port, err)
					return
				}
				got[i][at] = o.pod
				if code := o.end(); code != 0 {
					t.Errorf("%s: exit code %d", u.Name, code)
				}
			})
		}
	}
	all.Wait()
	for i, u := range users {
		if pods := podsOf(t, u.Name+"_dockersh"); len(pods) != 1 || got[i][0] != got[i][1] || got[i][0] == "" {
			t.Errorf("%s: %v, %v", u.Name, pods, got[i])
		}
	}
}
