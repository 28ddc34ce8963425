package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
)

// actor is one host at work: each of its requests waits until it is its turn.
type actor struct {
	do    func(ctx context.Context) error
	turn  chan struct{}
	asks  chan bool // true: it waits to make a request; false: it has ended
	err   error
	ended bool
}

type actorKey struct{}

// interleave runs actors, one request at a time. Choose returns which of n that wait makes its
// request.
func interleave(api *fakeAPI, choose func(n int) int, all ...*actor) {
	api.before = func(ctx context.Context) {
		a := ctx.Value(actorKey{}).(*actor)
		a.asks <- true
		<-a.turn
	}
	await := func(a *actor) { a.ended = !<-a.asks }
	for _, a := range all {
		a.turn, a.asks = make(chan struct{}), make(chan bool)
		go func() {
			a.err = a.do(context.WithValue(context.Background(), actorKey{}, a))
			a.asks <- false
		}()
		await(a)
	}
	for {
		var waits []*actor
		for _, a := range all {
			if !a.ended {
				waits = append(waits, a)
			}
		}
		if waits == nil {
			break
		}
		a := waits[choose(len(waits))]
		a.turn <- struct{}{}
		await(a)
	}
	api.before = nil
}

// everyOrder runs run once for each order of requests. With atMost above 0 it tries that many, by chance.
func everyOrder(t *testing.T, atMost int, run func(choose func(n int) int) error) {
	t.Helper()
	tried := 0
	if atMost > 0 {
		for ; tried < atMost; tried++ {
			random := rand.New(rand.NewPCG(1, uint64(tried)))
			if err := run(random.IntN); err != nil {
				t.Fatalf("order %d: %v", tried, err)
			}
		}
		return
	}
	var taken, of []int
	for {
		depth := 0
		of = of[:0]
		err := run(func(n int) int {
			if depth == len(taken) {
				taken = append(taken, 0)
			}
			of = append(of, n)
			depth++
			return taken[depth-1]
		})
		tried++
		if err != nil {
			t.Fatalf("order %v: %v", taken, err)
		}
		for depth--; depth >= 0 && taken[depth]+1 == of[depth]; depth-- {
		}
		if depth < 0 {
			t.Logf("%d orders", tried)
			return
		}
		taken = append(taken[:depth], taken[depth]+1)
	}
}

// removes is a host that nobody is in a pod of any more.
func removes(e *Engine, id, host string) *actor {
	return &actor{do: func(ctx context.Context) error { return e.RemoveVacant(ctx, id, host) }}
}

// enters is a login through a host.
func enters(e *Engine, id string, p engine.Presence) *actor {
	return &actor{do: func(ctx context.Context) error {
		if err := e.Announce(ctx, p); err != nil {
			return err
		}
		_, err := e.Enter(ctx, id, p)
		return err
	}}
}

// leaves is the end of the last session of a host.
func leaves(e *Engine, id string, p engine.Presence) *actor {
	return &actor{do: func(ctx context.Context) error {
		if err := e.Withdraw(ctx, p); err != nil {
			return err
		}
		return e.RemoveVacant(ctx, id, p.Host)
	}}
}

// judge compares what hosts believe with what is there.
func judge(api *fakeAPI, id string, login *actor, removals ...*actor) error {
	removed := 0
	for _, r := range removals {
		switch {
		case r.err == nil:
			removed++
		case !errors.Is(r.err, engine.ErrInUse) && !errors.Is(r.err, engine.ErrNotFound):
			return r.err
		}
	}
	switch in := login.err == nil; {
	case !in && !errors.Is(login.err, engine.ErrNotFound):
		return login.err
	case in && !api.has(id):
		return errors.New("a session lost its pod")
	case !in && removed == 0, !in && api.has(id):
		return errors.New("a login found no pod, and nobody removed it")
	case removed > 1:
		return errors.New("two hosts removed one pod")
	}
	return nil
}

const box = "alice_dockersh"

func TestLoginAndRemovalAtOnceLoseNoSession(t *testing.T) {
	b := engine.Presence{Container: box, Host: "b", Session: "s1"}
	everyOrder(t, 0, func(choose func(int) int) error {
		api := newFakeAPI()
		id := api.addPod(box)
		login, removal := enters(api.host(t), id, b), removes(api.host(t), id, "a")
		interleave(api, choose, login, removal)
		return judge(api, id, login, removal)
	})
}

func TestLoginAndTwoRemovalsAtOnceLoseNoSession(t *testing.T) {
	b := engine.Presence{Container: box, Host: "b", Session: "s1"}
	everyOrder(t, 300, func(choose func(int) int) error {
		api := newFakeAPI()
		id := api.addPod(box)
		login, one, two := enters(api.host(t), id, b), removes(api.host(t), id, "a"), removes(api.host(t), id, "c")
		interleave(api, choose, login, one, two)
		return judge(api, id, login, one, two)
	})
}

// A host is taken for dead, and comes back at that moment.
func TestLoginThroughAHostThatCountsAsDeadLosesNoSession(t *testing.T) {
	b := engine.Presence{Container: box, Host: "b", Session: "s1"}
	everyOrder(t, 0, func(choose func(int) int) error {
		api := newFakeAPI()
		id, hostB, hostA := api.addPod(box), api.host(t), api.host(t)
		if err := hostB.Announce(t.Context(), b); err != nil {
			return err
		}
		if err := hostA.RemoveVacant(t.Context(), id, "a"); !errors.Is(err, engine.ErrInUse) {
			return fmt.Errorf("before it is dead: %w", err)
		}
		for uid, s := range hostA.watched.seen {
			s.since = s.since.Add(-time.Hour)
			hostA.watched.seen[uid] = s
		}
		login, removal := enters(hostB, id, b), removes(hostA, id, "a")
		interleave(api, choose, login, removal)
		return judge(api, id, login, removal)
	})
}

func TestLastOfTwoHostsToLeaveRemovesThePod(t *testing.T) {
	everyOrder(t, 0, func(choose func(int) int) error {
		api := newFakeAPI()
		id, a, b := api.addPod(box), api.host(t), api.host(t)
		inA, inB := engine.Presence{Container: box, Host: "a", Session: "s1"}, engine.Presence{Container: box, Host: "b", Session: "s2"}
		if err := errors.Join(a.Announce(t.Context(), inA), b.Announce(t.Context(), inB)); err != nil {
			return err
		}
		one, two := leaves(a, id, inA), leaves(b, id, inB)
		interleave(api, choose, one, two)
		if api.has(id) {
			return fmt.Errorf("it stays: %w, %w", one.err, two.err)
		}
		return nil
	})
}

func TestSessionsOfThisHostAndOfOtherPodsKeepNoPod(t *testing.T) {
	api := newFakeAPI()
	id, a := api.addPod(box), api.host(t)
	for _, p := range []engine.Presence{{Container: box, Host: "a", Session: "s1"}, {Container: "bob_dockersh", Host: "b", Session: "s2"}} {
		if err := a.Announce(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := a.Presences(t.Context()); len(all) != 2 || err != nil {
		t.Errorf("%+v %v", all, err)
	}
	if err := a.RemoveVacant(t.Context(), id, "a"); err != nil || api.has(id) {
		t.Errorf("%v", err)
	}
	if err := a.RemoveVacant(t.Context(), id, "a"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
}

// The door of a pod ends after some minutes where nobody opened it, and with it what is inside.
func TestPodWhoseDoorWasNotOpenedIsNotEntered(t *testing.T) {
	api := newFakeAPI()
	id, e := api.addPod(box), api.host(t)
	pod := metaOf(api.objects["/api/v1/namespaces/ns/pods/"+manifest.PodName(box)])
	delete(pod["annotations"].(map[string]any), manifest.AnnotationStarted)
	if err := e.Start(t.Context(), id); err == nil { // no exec gets through
		t.Fatal("no error")
	}
	if found, err := e.Find(t.Context(), box); err != nil || found.State != engine.Created {
		t.Errorf("%+v %v", found, err)
	}
}

// watch asks for the presences each five seconds for some time, and returns how many there are at the end.
func watch(t *testing.T, e *Engine, long time.Duration) int {
	t.Helper()
	n := 0
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(5 * time.Second) {
		all, err := e.Presences(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n = len(all)
	}
	return n
}

func TestSessionsOfADeadHostStopCounting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFakeAPI()
		a, b := api.host(t), api.host(t)
		p := engine.Presence{Container: box, Host: "b", Session: "s1"}
		for range 20 { // as long as they are announced, they count
			if err := b.Announce(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			if n := watch(t, a, engine.PresenceEach); n != 1 {
				t.Fatal("a session that is announced does not count")
			}
		}
		if n := watch(t, a, engine.PresenceLimit-engine.PresenceEach); n != 1 {
			t.Error("it stopped counting too soon")
		}
		if n := watch(t, a, engine.PresenceEach); n != 0 {
			t.Error("it still counts")
		}
		if fresh, err := api.host(t).Presences(t.Context()); len(fresh) != 0 || err != nil {
			t.Errorf("to a host that has seen nothing before: %+v %v", fresh, err)
		}
		if err := b.Announce(t.Context(), p); err != nil || watch(t, a, time.Second) != 1 {
			t.Errorf("a host that is back does not count: %v", err)
		}
	})
}

// Nobody could renew a Lease while the API server did not answer.
func TestSessionsOutliveAServerThatWasDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFakeAPI()
		a, b := api.host(t), api.host(t)
		p := engine.Presence{Container: box, Host: "b", Session: "s1"}
		if err := b.Announce(t.Context(), p); err != nil || watch(t, a, 30*time.Second) != 1 {
			t.Fatal(err)
		}
		api.down = true
		time.Sleep(5 * time.Minute)
		if _, err := a.Presences(t.Context()); err == nil {
			t.Error("no error")
		}
		api.down = false
		if n := watch(t, a, engine.PresenceEach); n != 1 {
			t.Error("a session does not count when the server is back")
		}
		if n := watch(t, a, engine.PresenceLimit); n != 0 {
			t.Error("it counts for ever")
		}
	})
}
