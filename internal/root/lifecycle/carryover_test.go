package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

var errKilled = errors.New("killed")

// mortal is an engine during one of whose calls the broker is killed.
type mortal struct {
	*enginetest.Fake
	left  int  // calls until then
	after bool // the engine does what it was asked for
	seen  *int // calls
}

func call[T any](m *mortal, do func() (T, error)) (T, error) {
	*m.seen++
	m.left--
	if m.left == 0 && !m.after {
		panic(errKilled)
	}
	v, err := do()
	if m.left == 0 {
		panic(errKilled)
	}
	return v, err
}

func call0(m *mortal, do func() error) error {
	_, err := call(m, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

func (m *mortal) Find(ctx context.Context, name string) (*engine.Container, error) {
	return call(m, func() (*engine.Container, error) { return m.Fake.Find(ctx, name) })
}
func (m *mortal) Create(ctx context.Context, s engine.Spec) (*engine.Container, error) {
	return call(m, func() (*engine.Container, error) { return m.Fake.Create(ctx, s) })
}
func (m *mortal) CarryLayer(ctx context.Context, id, mark string) (string, error) {
	return call(m, func() (string, error) { return m.Fake.CarryLayer(ctx, id, mark) })
}
func (m *mortal) Start(ctx context.Context, id string) error {
	return call0(m, func() error { return m.Fake.Start(ctx, id) })
}
func (m *mortal) Stop(ctx context.Context, id string, grace time.Duration) error {
	return call0(m, func() error { return m.Fake.Stop(ctx, id, grace) })
}
func (m *mortal) Remove(ctx context.Context, id string) error {
	return call0(m, func() error { return m.Fake.Remove(ctx, id) })
}
func (m *mortal) Rename(ctx context.Context, id, name string) error {
	return call0(m, func() error { return m.Fake.Rename(ctx, id, name) })
}
func (m *mortal) SyncLayers(ctx context.Context) error {
	return call0(m, func() error { return m.Fake.SyncLayers(ctx) })
}
func (m *mortal) RemoveLayers(ctx context.Context, mark string) error {
	return call0(m, func() error { return m.Fake.RemoveLayers(ctx, mark) })
}

// untilKilled reports whether do was killed.
func untilKilled(t *testing.T, do func()) (killed bool) {
	defer func() {
		if r := recover(); r == errKilled { //nolint:errorlint // a value of panic
			killed = true
		} else if r != nil {
			panic(r)
		}
	}()
	do()
	return false
}

const carried = "alice"

// carryingPlace returns the place of a container that runs, with work in it.
func carryingPlace(t *testing.T) (*enginetest.Fake, Place) {
	t.Helper()
	f := enginetest.New()
	f.AddImage("busybox", "sha256:1", nil)
	run := state.RunDir(t.TempDir())
	if err := run.Make(); err != nil {
		t.Fatal(err)
	}
	p := Place{Engine: f, Host: "/e", Inventory: state.Inventory(t.TempDir()), Dir: run.Container(carried)}
	if err := p.Dir.Make(); err != nil {
		t.Fatal(err)
	}
	c, err := f.Create(t.Context(), carrySpec(p, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Start(t.Context(), c.ID), p.Inventory.Set(carried, state.Expected{ID: c.ID, UID: 7, Engine: "/e"})); err != nil {
		t.Fatal(err)
	}
	f.Write(carried, "/work", "mine")
	return f, p
}

func carrySpec(p Place, layer, from string) engine.Spec {
	labels := policy.Owner{UID: 7}.Labels()
	labels[engine.LabelMark], labels[engine.LabelFrom] = p.Dir.Mark(), from
	return engine.Spec{Name: carried, Image: "busybox", Layer: layer, Labels: labels}
}

// carryOnce carries the container over.
func carryOnce(ctx context.Context, p Place) error {
	old, err := p.Engine.Find(ctx, carried)
	if err != nil {
		return err
	}
	_, err = p.CarryOver(ctx, old, state.Expected{UID: 7, Engine: p.Host}, func(ctx context.Context, layer string) (*engine.Container, error) {
		c, err := p.Engine.Create(ctx, carrySpec(p, layer, old.ID))
		if err != nil {
			return nil, err
		}
		return c, p.Engine.Start(ctx, c.ID)
	})
	return err
}

// isWhole checks that nothing is lost and nothing is left.
func isWhole(t *testing.T, f *enginetest.Fake, p Place, when string) {
	t.Helper()
	if got := f.Contents(carried, "/work"); got != "mine" {
		t.Fatalf("%s: what was in it is lost: %q", when, got)
	}
	c, err := f.Find(t.Context(), carried)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Find(t.Context(), OldName(carried)); !errors.Is(err, engine.ErrNotFound) {
		t.Fatalf("%s: the container before is left: %v", when, err)
	}
	if s, ok := p.Inventory.Get(carried); !ok || s != (state.Expected{ID: c.ID, UID: 7, Engine: "/e"}) {
		t.Fatalf("%s: inventory %+v %v", when, s, ok)
	}
	if err := f.RemoveLayers(t.Context(), p.Dir.Mark()); err != nil {
		t.Fatal(err)
	}
	if marks, _ := f.LayerMarks(t.Context()); len(marks) > 0 {
		t.Fatalf("%s: layers are left", when)
	}
}

// Killed at any step, and killed again at any step of the recovery, nothing is lost.
func TestNothingIsLostWhereverACarryOverIsKilled(t *testing.T) {
	steps, again := 1, 1
	for _, after := range []bool{false, true} {
		for first := 1; first <= steps; first++ {
			for second := 0; second <= again; second++ {
				f, p := carryingPlace(t)
				seen := 0
				dying := p
				dying.Engine = &mortal{Fake: f, left: first, after: after, seen: &seen}
				killed := untilKilled(t, func() {
					if err := carryOnce(t.Context(), dying); err != nil {
						t.Fatal(err)
					}
				})
				steps = max(steps, seen+1)
				when := fmt.Sprintf("killed at call %d, after %v", first, after)
				if !killed {
					isWhole(t, f, p, "not killed")
					continue
				}
				if second > 0 {
					seen := 0
					dying.Engine = &mortal{Fake: f, left: second, after: after, seen: &seen}
					untilKilled(t, func() { _ = dying.Recover(t.Context()) })
					again = max(again, seen+1)
					when += fmt.Sprintf(", and at call %d of the recovery", second)
				}
				if err := p.Recover(t.Context()); err != nil {
					t.Fatalf("%s: %v", when, err)
				}
				isWhole(t, f, p, when)
				if err := carryOnce(t.Context(), p); err != nil {
					t.Fatalf("%s: the next one: %v", when, err)
				}
				isWhole(t, f, p, when+", and the next one")
			}
		}
	}
	if steps < 10 || again < 5 {
		t.Errorf("only %d and %d calls", steps, again)
	}
}

// What fails leaves the container as it was; an engine that stays away leaves it for the next
// holder of the lock.
func TestFailedCarryOverLeavesTheContainer(t *testing.T) {
	for _, method := range []string{"Stop", "CarryLayer", "Rename", "Create", "Start", "SyncLayers"} {
		f, p := carryingPlace(t)
		f.Fail(method, engine.ErrDown)
		err := carryOnce(t.Context(), p)
		if !errors.Is(err, engine.ErrDown) {
			t.Fatalf("%s: %v", method, err)
		}
		f.Fail(method, nil)
		if errors.Is(err, ErrUnfinished) {
			if err := p.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		isWhole(t, f, p, method)
		if c, _ := f.Find(t.Context(), carried); c.ImageID != "sha256:1" {
			t.Errorf("%s: it is another container", method)
		}
	}
}

// An administrator took the name while the container had none.
func TestCarryOverRemovesNobodysContainer(t *testing.T) {
	f, p := carryingPlace(t)
	seen := 0
	dying := p
	dying.Engine = &mortal{Fake: f, left: 5, seen: &seen} // before Create
	untilKilled(t, func() { _ = carryOnce(t.Context(), dying) })
	if f.Contents(OldName(carried), "/work") != "mine" {
		t.Fatal("the test looks at the wrong step")
	}
	f.Add(engine.Container{Name: carried, State: engine.Running, Labels: map[string]string{}})
	if err := p.Recover(t.Context()); err == nil {
		t.Error("recovered")
	}
	if f.Contents(OldName(carried), "/work") != "mine" {
		t.Error("what was in it is lost")
	}
	if err := f.Rename(t.Context(), carried, "theirs"); err != nil {
		t.Fatal(err)
	}
	if err := p.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	isWhole(t, f, p, "afterwards")
}

func TestCarryOverLooksAtTheDiskFirst(t *testing.T) {
	f, p := carryingPlace(t)
	c, err := f.Find(t.Context(), carried)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.CheckRoom(t.Context(), c); err != nil {
		t.Error(err)
	}
	f.SetFree(freeBeside + 1)
	var kept Kept
	if _, err := p.CheckRoom(t.Context(), c); !errors.As(err, &kept) {
		t.Errorf("a full disk: %v", err)
	}
}

// The engine renamed the container after all, when its broker was dead and another one had found
// it in its place.
func TestContainerThatIsRenamedLateGetsItsNameBack(t *testing.T) {
	f, p := carryingPlace(t)
	if ok, err := p.Restore(t.Context()); ok || err != nil {
		t.Fatalf("%v %v", ok, err)
	}
	c, err := f.Find(t.Context(), carried)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Rename(t.Context(), c.ID, OldName(carried)); err != nil {
		t.Fatal(err)
	}
	if ok, err := p.Restore(t.Context()); !ok || err != nil {
		t.Fatalf("%v %v", ok, err)
	}
	isWhole(t, f, p, "restored")
}

// The engine cannot remove the container before, for as long as it likes.
func TestContainerBeforeThatCannotBeRemovedIsRemovedLater(t *testing.T) {
	f, p := carryingPlace(t)
	f.Fail("Remove", engine.ErrDown)
	if err := carryOnce(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	c, err := f.Find(t.Context(), carried)
	if err != nil {
		t.Fatal(err)
	}
	old, err := f.Find(t.Context(), OldName(carried))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Recover(t.Context()); err != nil {
		t.Errorf("it keeps its user out: %v", err)
	}
	if err := p.recover(t.Context()); !errors.Is(err, errFormerStays) {
		t.Errorf("the service does not learn of it: %v", err)
	}
	if s, _ := p.Inventory.Get(carried); s.ID != c.ID || s.Old != old.ID || IsLeft(p.Inventory, old) {
		t.Errorf("the inventory has %+v", s)
	}
	var kept Kept
	if _, err := p.CheckRoom(t.Context(), c); !errors.As(err, &kept) {
		t.Errorf("carried over again, without a name for the one before: %v", err)
	}
	f.Fail("Remove", nil)
	if err := p.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	isWhole(t, f, p, "removed later")
}

// The container of the name was removed, and what was done in it with it: the one before does not
// come back in its place.
func TestRemovedContainerIsNotReplacedByTheOneBefore(t *testing.T) {
	for what, remove := range map[string]func(f *enginetest.Fake, p Place) error{
		"outside dockersh": func(f *enginetest.Fake, _ Place) error { return f.Remove(t.Context(), carried) },
		"by a killed dockershctl": func(f *enginetest.Fake, p Place) error {
			return errors.Join(p.Inventory.Remove(carried), f.Remove(t.Context(), carried))
		},
	} {
		f, p := carryingPlace(t)
		f.Fail("Remove", engine.ErrDown)
		if err := carryOnce(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		f.Fail("Remove", nil)
		c, err := f.Find(t.Context(), carried)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(remove(f, p), p.Recover(t.Context())); err != nil {
			t.Fatal(err)
		}
		if ok, err := p.Restore(t.Context()); ok || err != nil {
			t.Errorf("%s: restored: %v %v", what, ok, err)
		}
		if _, err := f.Find(t.Context(), carried); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: it is back: %v", what, err)
		}
		old, err := f.Find(t.Context(), OldName(carried))
		if err != nil || !IsLeft(p.Inventory, old) {
			t.Errorf("%s: the one before is not seen: %v", what, err)
		}
		other := *c
		other.Labels = map[string]string{engine.LabelMark: "m:/elsewhere/" + carried}
		if err := RemoveOld(t.Context(), f, &other); err != nil || f.Contents(OldName(carried), "/work") == "" {
			t.Errorf("%s: removed with another host's container: %v", what, err)
		}
		if err := errors.Join(RemoveOld(t.Context(), f, c), RemoveOld(t.Context(), f, c)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := f.Find(t.Context(), OldName(carried)); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: the one before stays: %v", what, err)
		}
	}
}

// The user presses ^C while the engine copies.
func TestCarryOverDoesNotEndWithItsLogin(t *testing.T) {
	f, p := carryingPlace(t)
	before, err := f.Find(t.Context(), carried)
	if err != nil {
		t.Fatal(err)
	}
	began, release := f.Hold("CarryLayer")
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error)
	go func() { over <- carryOnce(ctx, p) }()
	<-began
	cancel()
	select {
	case err := <-over:
		t.Errorf("it ended before the copy: %v", err)
	default:
	}
	release()
	if err := <-over; err != nil {
		t.Errorf("the copy was for nothing: %v", err)
	}
	isWhole(t, f, p, "broken off")
	if c, err := f.Find(t.Context(), carried); err != nil || c.ID == before.ID {
		t.Errorf("it has the settings of before: %v", err)
	}
}

// Its broker was killed, and the engine made the image after all.
func TestRemovedContainerLeavesNoImage(t *testing.T) {
	f, p := carryingPlace(t)
	if _, err := f.CarryLayer(t.Context(), carried, p.Dir.Mark()); err != nil {
		t.Fatal(err)
	}
	c, err := f.Find(t.Context(), carried)
	if err != nil {
		t.Fatal(err)
	}
	if err := RemoveFromEngine(t.Context(), f, p.Inventory, c); err != nil {
		t.Fatal(err)
	}
	if marks, err := f.LayerMarks(t.Context()); err != nil || len(marks) > 0 {
		t.Errorf("left: %q %v", marks, err)
	}
}

// The settings have the other name of the directory by now.
func TestCarryOverIsRecoveredByBothNamesOfItsEngine(t *testing.T) {
	f, p := carryingPlace(t)
	p.Host = "/run/docker.sock"
	s, _ := p.Inventory.Get(carried)
	s.Engine, s.Carrying = "/var/run/docker.sock", true
	if err := errors.Join(p.Inventory.Set(carried, s), f.Rename(t.Context(), s.ID, OldName(carried)), p.Recover(t.Context())); err != nil {
		t.Fatal(err)
	}
	if f.Contents(carried, "/work") != "mine" || len(p.Inventory.Carried()) > 0 {
		t.Errorf("not recovered: %q", p.Inventory.Carried())
	}
}
