package view

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"
)

// world is the data of a view under test, and what it did.
type world struct {
	mu   sync.Mutex
	data Data
	err  error
	did  []Action
}

func (w *world) backend() Backend {
	return Backend{
		Look: func(context.Context) (Data, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.data, w.err
		},
		Do: func(_ context.Context, a Action) (string, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.did = append(w.did, a)
			if a.Verb == Restart {
				return "", errors.New("the engine is down")
			}
			return string(a.Verb) + " done", nil
		},
	}
}

func (w *world) actions() []Action {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Action{}, w.did...)
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// class returns three containers: b uses most, and c has two sessions.
func class() Data {
	c := func(name string, cpu float64, memory int64, sessions int) Container {
		return Container{Name: name, User: "user-" + name, Image: "debian:12", State: "running", CPU: cpu, Memory: memory,
			Processes: 3, Sessions: sessions, Idle: Unknown, Created: noon.Add(-time.Hour)}
	}
	return Data{At: noon, Containers: []Container{c("c", 1, 2e6, 2), c("a", 0.5, 3e6, 0), c("b", 99.5, 1e6, 1)}, Sessions: []Session{
		{ID: "s1", User: "user-c", Container: "c", Client: "192.0.2.1", TTY: "pts/1", Since: noon.Add(-2 * time.Minute), Idle: 5 * time.Second},
		{ID: "s2", User: "user-c", Container: "c", Since: noon.Add(-time.Minute), Idle: Unknown},
		{ID: "s3", User: "user-b", Container: "b", Client: "192.0.2.2", Since: noon, Idle: Unknown},
	}}
}

// terminal is a simulated screen with a running view.
type terminal struct {
	t      *testing.T
	screen tcell.SimulationScreen
	ended  chan error
}

func run(t *testing.T, w *world, wide, high int) *terminal {
	t.Helper()
	s := tcell.NewSimulationScreen("UTF-8")
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	s.SetSize(wide, high)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	x := &terminal{t, s, make(chan error, 1)}
	over := make(chan struct{})
	go func() { x.ended <- Run(ctx, s, w.backend()); close(over) }()
	t.Cleanup(func() { cancel(); <-over; s.Fini() })
	return x
}

func (x *terminal) shown() string {
	wide, high := x.screen.Size()
	var b strings.Builder
	for y := range high {
		for column := range wide {
			r, _, _, _ := x.screen.GetContent(column, y) //nolint:staticcheck // the only call of the simulation that locks
			b.WriteRune(r)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (x *terminal) expect(what string) {
	x.t.Helper()
	for range 1000 {
		if strings.Contains(x.shown(), what) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	x.t.Fatalf("%q is not on the screen:\n%s", what, x.shown())
}

func (x *terminal) keys(text string) {
	for _, r := range text {
		x.screen.InjectKey(tcell.KeyRune, r, 0)
	}
}

func (x *terminal) order(names ...string) {
	x.t.Helper()
	var text string
	for range 1000 {
		text = x.shown()
		at, ok := 0, true
		for _, n := range names {
			i := strings.Index(text[at:], "\n"+n+" ")
			if ok = i >= 0; !ok {
				break
			}
			at += i + 1
		}
		if ok {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	x.t.Fatalf("not in the order %q:\n%s", names, text)
}

func TestContainersAndSessionsAreShown(t *testing.T) {
	x := run(t, &world{data: class()}, 120, 20)
	x.expect("3 containers, 3 running  3 sessions  cpu 101%  memory 6MB")
	x.expect("a     user-a  debian:12  running         0   0.5%     3MB     3     -   1h")
	x.screen.InjectKey(tcell.KeyTab, 0, 0)
	x.expect("s1  user-c  c          192.0.2.1  pts/1     2m    5s")
	x.expect("s2  user-c  c          -          -         1m     -")
	x.keys("q")
	if err := <-x.ended; err != nil {
		t.Error(err)
	}
}

func TestRowsHaveTheChosenOrder(t *testing.T) {
	x := run(t, &world{data: class()}, 120, 20)
	x.order("a", "b", "c")
	x.keys("o")
	x.order("b", "c", "a") // cpu
	x.keys("o")
	x.order("a", "c", "b") // memory
	x.keys("o")
	x.order("c", "b", "a") // sessions
}

func TestNothingIsDoneWithoutAYes(t *testing.T) {
	w := &world{data: class()}
	x := run(t, w, 120, 20)
	x.expect("user-c")
	x.screen.InjectKey(tcell.KeyEnd, 0, 0)
	x.keys("R")
	x.expect("reset c (ends 2 sessions): everything in it is lost? y/n")
	x.keys("n")
	x.keys("k")
	x.expect("kick c (ends 2 sessions)? y/n")
	x.screen.InjectKey(tcell.KeyEnter, 0, 0)
	x.keys("s")
	x.expect("stop c")
	if did := w.actions(); len(did) != 0 {
		t.Fatalf("%v", did)
	}
	x.keys("y")
	x.expect("stop done")
	if did := w.actions(); len(did) != 1 || did[0] != (Action{Verb: Stop, Target: "c"}) {
		t.Errorf("%v", did)
	}
	x.keys("ry")
	x.expect("restart c: the engine is down")
}

func TestSelectedRowStaysSelectedWhenRowsMove(t *testing.T) {
	w := &world{data: class()}
	x := run(t, w, 120, 20)
	x.expect("user-c")
	x.screen.InjectKey(tcell.KeyDown, 0, 0) // b
	w.mu.Lock()
	w.data.Containers = append(w.data.Containers, Container{Name: "aa", State: "exited", CPU: Unknown, Memory: Unknown, Processes: Unknown, Idle: Unknown, Created: noon})
	w.mu.Unlock()
	x.keys("t") // the data are refreshed after an action
	x.expect("aa")
	x.keys("sy")
	x.expect("stop done")
	if did := w.actions(); len(did) != 2 || did[1].Target != "b" {
		t.Errorf("%v", did)
	}
}

func TestContainerVerbsOnASessionActOnItsContainer(t *testing.T) {
	w := &world{data: class()}
	x := run(t, w, 120, 20)
	x.expect("user-c")
	x.screen.InjectKey(tcell.KeyTab, 0, 0)
	x.expect("s1")
	x.keys("ky")
	x.expect("kick done")
	x.keys("mlunch at 12?")
	x.screen.InjectKey(tcell.KeyEnter, 0, 0)
	x.expect("message done")
	x.keys("sy")
	x.expect("stop done")
	want := []Action{{Verb: Kick, Target: "s1", Session: true}, {Verb: Message, Target: "s1", Session: true, Text: "lunch at 12?"}, {Verb: Stop, Target: "c"}}
	if did := w.actions(); fmt.Sprint(did) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", did, want)
	}
}

func TestFilterShowsOnlyRowsThatMatch(t *testing.T) {
	x := run(t, &world{data: class()}, 120, 20)
	x.expect("user-c")
	x.keys("/user-b")
	x.screen.InjectKey(tcell.KeyEnter, 0, 0)
	x.expect("filter: user-b")
	if strings.Contains(x.shown(), "user-a") {
		t.Error(x.shown())
	}
	x.screen.InjectKey(tcell.KeyEscape, 0, 0)
	x.expect("user-a")
}

func TestManyRowsScrollAndSmallScreensDoNoHarm(t *testing.T) {
	d := Data{At: noon}
	for i := range 200 {
		d.Containers = append(d.Containers, Container{Name: fmt.Sprintf("box%03d", i), State: "exited", CPU: Unknown, Memory: Unknown, Processes: Unknown, Idle: Unknown, Created: noon})
	}
	x := run(t, &world{data: d}, 60, 12)
	x.expect("box000")
	x.screen.InjectKey(tcell.KeyEnd, 0, 0)
	x.expect("box199")
	x.screen.InjectKey(tcell.KeyPgUp, 0, 0)
	x.expect("box192")
	for _, size := range [][2]int{{1, 1}, {5, 3}, {100, 50}} {
		x.screen.SetSize(size[0], size[1])
		_ = x.screen.PostEvent(tcell.NewEventResize(size[0], size[1]))
	}
	x.expect("box155")
}

func TestFailureToRefreshIsShownAndOldDataStay(t *testing.T) {
	w := &world{data: class()}
	x := run(t, w, 120, 20)
	x.expect("user-a")
	w.mu.Lock()
	w.err = errors.New("the engine does not answer\x1b[2J")
	w.mu.Unlock()
	x.keys("t")
	x.expect("cannot refresh: the engine does not answer?[2J")
	x.expect("user-a")
}
