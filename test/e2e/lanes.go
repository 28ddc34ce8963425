package e2e

import (
	"cmp"
	"os"
	"slices"
	"strings"
	"testing"
)

// onlyDiffering leaves out what only `make e2e-doors` tries through this door.
var onlyDiffering = os.Getenv("DIFFERING") != ""

// A Lane lists through which doors a test runs in `make e2e`, and through which ones
// also in `make e2e-doors`. lanes_test.go checks that each test names a lane and that
// the Makefile runs all lanes.
type Lane struct {
	doors, moreDoors []string
	engines          []Engine
}

// The lanes. A test that needs a door passes the reason to Run.
var (
	// EveryDoor is for what differs by the door.
	EveryDoor = Lane{doors: []string{"service", "setuid", "direct"}}
	// RootDoors is EveryDoor where the broker must be root.
	RootDoors = Lane{doors: []string{"service", "setuid"}}
	// AnyDoor is for what a door should not change: `make e2e-doors` tries them all.
	AnyDoor = Lane{doors: []string{"service"}, moreDoors: []string{"setuid", "direct"}}
	// AnyRootDoor is AnyDoor where the broker must be root.
	AnyRootDoor = Lane{doors: []string{"service"}, moreDoors: []string{"setuid"}}
	// BehindDoors is for what lies behind the broker, whichever door leads there.
	BehindDoors = Lane{doors: []string{"service"}}
	// ServiceDoor, SetuidDoor and DirectDoor are for what only one door has.
	ServiceDoor = Lane{doors: []string{"service"}}
	SetuidDoor  = Lane{doors: []string{"setuid"}}
	DirectDoor  = Lane{doors: []string{"direct"}}
	// Bench is for measurements: `make bench` alone runs them.
	Bench = Lane{doors: []string{"service"}}
)

// An Engine is one that a test needs beside the host's own Docker. Start starts it
// unless it runs, and skips the test where it cannot run. A run with pods leaves such a test
// out, unless its engine is a Cluster.
type Engine struct {
	Start   func(t testing.TB)
	Cluster bool
}

// On is the lane for a test that needs these engines too.
func (l Lane) On(engines ...Engine) Lane {
	l.engines = engines
	return l
}

// Run begins a test: it starts what the lane needs, or skips the test in a run
// through a door that is not of the lane. why is the reason for a lane that leaves
// doors out.
func Run(t testing.TB, l Lane, why ...string) {
	t.Helper()
	if !slices.Contains(l.doors, Door) && (onlyDiffering || !slices.Contains(l.moreDoors, Door)) {
		t.Skip("not through the " + Door + " door: " + cmp.Or(strings.Join(why, ""), "what it tests is the same behind every door"))
	}
	if InPods() && slices.ContainsFunc(l.engines, func(e Engine) bool { return !e.Cluster }) {
		t.Skip("not with pods: it needs an engine of its own")
	}
	if err := startWorld(); err != nil {
		t.Fatal(err)
	}
	showComplaints(t)
	for _, e := range l.engines {
		e.Start(t)
	}
}
