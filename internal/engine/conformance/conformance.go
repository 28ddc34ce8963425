// Package conformance tests that an engine keeps the contract of engine.Engine: the one in memory,
// and real ones.
package conformance

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// Subject is an engine that Test tests.
type Subject struct {
	engine.Engine
	// Image is on the engine's host. It has /bin/sh, /bin/sleep and /etc/passwd, a link
	// /way to the directory /data, and a directory /opt that belongs to 7:8.
	Image string
	// Name begins the names of all containers and images that are made.
	Name string
	// Pause pauses a container, as an administrator may.
	Pause func(t *testing.T, id string)
	// HidesLinks: the engine does not report that there is a link where something is mounted.
	HidesLinks bool
	// Adapt, unless nil, changes what every container is made of, for an engine that does not
	// take all of it.
	Adapt func(*engine.Spec)
	// Lacks are the promises that have no meaning for the engine, each with the reason.
	Lacks map[string]string
}

// contract is what callers of engine.Engine rely on. A row is a promise.
var contract = []struct {
	promise string
	test    func(*testing.T, *Subject)
}{
	{"created container is found as described", foundAsDescribed},
	{"id or beginning of a name is not a name", foundByNameAlone},
	{"name in use is refused", nameTaken},
	{"missing image is refused", imageMissing},
	{"missing image has no id", imageUnknown},
	{"tag of another image makes nothing", imageMoved},
	{"container starts and is removed", lifeOfAContainer},
	{"container that runs has a process on its host", processOfAContainer},
	{"container that was stopped is there, and starts again", stoppedContainer},
	{"paused container is resumed by Start and ended by Stop", pausedContainer},
	{"limits change while the container exists, or not at all", limitsChange},
	{"concurrent removals succeed or find nothing", concurrentRemovals},
	{"list has our containers alone", listOfOurs},
	{"list has sizes on demand", listWithSizes},
	{"files are touched only before the first start", filesBeforeStart},
	{"nothing is put into a mount", filesInMounts},
	{"nothing is put into a mount to which a link of the image leads", filesBehindLinks},
	{"nothing is put where a mount in a mount may be led", filesAndNestedMounts},
	{"commit makes an image", commitAndCreate},
	{"what is in a container is carried over to another one", layerCarried},
	{"stream carries input, output and exit code", streamCarries},
	{"exit by a signal is 128 and its number", streamEndsBySignal},
	{"program outlives its connection", streamCloses},
	{"program runs only in a running container", execNeedsRunning},
	{"engine reports what it is", facts},
	{"call ends with its context", cancelledCalls},
}

// Test tests that an engine keeps the contract of engine.Engine.
func Test(t *testing.T, s *Subject) {
	lacks := maps.Clone(s.Lacks)
	for _, c := range contract {
		if why, ok := lacks[c.promise]; ok {
			t.Logf("not of this engine: %s: %s", c.promise, why)
			delete(lacks, c.promise)
			continue
		}
		t.Run(c.promise, func(t *testing.T) { c.test(t, s) })
	}
	for promise := range lacks {
		t.Errorf("nobody promises: %s", promise)
	}
}

// spec describes a container that sleeps, and ends when it is asked to.
func (s *Subject) spec() engine.Spec {
	spec := engine.Spec{
		Name: s.Name + "-" + strings.ToLower(rand.Text()[:6]), Image: s.Image, UID: 1000, GID: 1001,
		Labels:     map[string]string{engine.LabelOwner: "1000", engine.LabelUser: "a=b c"},
		Entrypoint: "/bin/sh", Cmd: []string{"-c", "trap exit TERM; sleep 600 & wait"}, Network: "none", QuietLog: true,
	}
	if s.Adapt != nil {
		s.Adapt(&spec)
	}
	return spec
}

// create makes a container and removes it when the test ends.
func (s *Subject) create(t *testing.T, spec engine.Spec) *engine.Container {
	t.Helper()
	c, err := s.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Remove(context.Background(), c.ID) })
	return c
}

// run makes a container that runs.
func (s *Subject) run(t *testing.T) *engine.Container {
	t.Helper()
	c := s.create(t, s.spec())
	ok(t, s.Start(t.Context(), c.ID))
	return c
}

// is checks the state of a container.
func (s *Subject) is(t *testing.T, name string, want engine.State) {
	t.Helper()
	if c, err := s.Find(t.Context(), name); err != nil || c.State != want {
		t.Errorf("%+v %v, want %s", c, err, want)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func foundAsDescribed(t *testing.T, s *Subject) {
	spec := s.spec()
	made := s.create(t, spec)
	image, err := s.ImageID(t.Context(), spec.Image)
	ok(t, err)
	found, err := s.Find(t.Context(), spec.Name)
	ok(t, err)
	for _, c := range []*engine.Container{made, found} {
		if c.ID != made.ID || c.Name != spec.Name || c.ImageID != image || c.State != engine.Created || c.Pid != 0 || c.Size != -1 ||
			time.Since(c.Created).Abs() > time.Minute || c.Labels[engine.LabelUser] != "a=b c" {
			t.Errorf("%+v", c)
		}
	}
	if words := strings.Join(s.Command(spec), " "); !strings.Contains(words, spec.Name) || !strings.Contains(words, spec.Image) {
		t.Errorf("command: %s", words)
	}
}

func foundByNameAlone(t *testing.T, s *Subject) {
	c := s.create(t, s.spec())
	for _, n := range []string{c.ID, c.ID[:12], c.Name[:len(c.Name)-1], strings.ToUpper(c.Name), "", "../images"} {
		if _, err := s.Find(t.Context(), n); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: %v", n, err)
		}
	}
}

func nameTaken(t *testing.T, s *Subject) {
	spec := s.spec()
	c := s.create(t, spec)
	if _, err := s.Create(t.Context(), spec); !errors.Is(err, engine.ErrNameTaken) {
		t.Errorf("again: %v", err)
	}
	if found, err := s.Find(t.Context(), spec.Name); err != nil || found.ID != c.ID {
		t.Errorf("the first one: %+v %v", found, err)
	}
}

func imageMissing(t *testing.T, s *Subject) {
	for _, ref := range []string{s.Name + "-none", "No Name", ""} {
		spec := s.spec()
		spec.Image = ref
		if _, err := s.Create(t.Context(), spec); !errors.Is(err, engine.ErrNoImage) {
			t.Errorf("create from %q: %v", ref, err)
		}
		if _, err := s.Find(t.Context(), spec.Name); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("after create from %q: %v", ref, err)
		}
	}
	for _, ref := range []string{"No Name", ""} {
		if _, err := s.ImageID(t.Context(), ref); !errors.Is(err, engine.ErrNoImage) {
			t.Errorf("id of %q: %v", ref, err)
		}
	}
}

func imageUnknown(t *testing.T, s *Subject) {
	if _, err := s.ImageID(t.Context(), s.Name+"-none"); !errors.Is(err, engine.ErrNoImage) {
		t.Error(err)
	}
}

func imageMoved(t *testing.T, s *Subject) {
	spec := s.spec()
	spec.ImageID = "sha256:" + strings.Repeat("0", 64)
	if _, err := s.Create(t.Context(), spec); err == nil || errors.Is(err, engine.ErrOption) {
		t.Errorf("create: %v", err)
	}
	if _, err := s.Find(t.Context(), spec.Name); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("find: %v", err)
	}
}

// runs checks whether a container runs, and can be measured.
func (s *Subject) runs(t *testing.T, id string, want bool) {
	t.Helper()
	if is, err := s.Running(t.Context(), id); is != want || err != nil {
		t.Errorf("running: %v %v", is, err)
	}
	u, err := s.Usage(t.Context(), id)
	if want && (err != nil || u.At.IsZero()) || !want && !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("usage: %+v %v", u, err)
	}
}

func processOfAContainer(t *testing.T, s *Subject) {
	c := s.run(t)
	if found, err := s.Find(t.Context(), c.Name); err != nil || found.Pid == 0 {
		t.Errorf("started: %+v %v", found, err)
	}
}

func stoppedContainer(t *testing.T, s *Subject) {
	c := s.run(t)
	for range 2 { // the second time it is stopped already
		ok(t, s.Stop(t.Context(), c.ID, 0))
	}
	s.is(t, c.Name, engine.Exited)
	s.runs(t, c.ID, false)
	ok(t, s.Start(t.Context(), c.ID))
	s.is(t, c.Name, engine.Running)
}

func lifeOfAContainer(t *testing.T, s *Subject) {
	c := s.create(t, s.spec())
	s.runs(t, c.ID, false)
	for range 2 { // the second time it runs already
		ok(t, s.Start(t.Context(), c.ID))
	}
	s.is(t, c.Name, engine.Running)
	s.runs(t, c.ID, true)
	if killed, err := s.OutOfMemory(t.Context(), c.ID, time.Now().Add(-time.Minute)); killed || err != nil {
		t.Errorf("killed for memory: %v %v", killed, err)
	}
	ok(t, s.Remove(t.Context(), c.ID))
	s.runs(t, c.ID, false)
	for what, f := range map[string]func() error{
		"find":   func() error { _, err := s.Find(t.Context(), c.Name); return err },
		"start":  func() error { return s.Start(t.Context(), c.ID) },
		"stop":   func() error { return s.Stop(t.Context(), c.ID, time.Second) },
		"remove": func() error { return s.Remove(t.Context(), c.ID) },
		"exec":   func() error { return s.Exec(t.Context(), c.ID, engine.As{}, []string{"/bin/sh"}) },
		"stream": func() error {
			_, err := s.ExecStream(t.Context(), c.ID, engine.Program{Argv: []string{"/bin/sh"}})
			return err
		},
		"read":   func() error { _, err := s.ReadFile(t.Context(), c.ID, "/etc/passwd"); return err },
		"put":    func() error { return s.PutFiles(t.Context(), c.ID, nil) },
		"commit": func() error { _, err := s.Commit(t.Context(), c.ID, s.Name+"-commit"); return err },
	} {
		if err := f(); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s after removal: %v", what, err)
		}
	}
}

func pausedContainer(t *testing.T, s *Subject) {
	c := s.run(t)
	s.Pause(t, c.ID)
	s.is(t, c.Name, engine.Paused)
	ok(t, s.Start(t.Context(), c.ID))
	s.is(t, c.Name, engine.Running)
	s.Pause(t, c.ID)
	ok(t, s.Stop(t.Context(), c.ID, time.Second))
	s.is(t, c.Name, engine.Exited)
}

func limitsChange(t *testing.T, s *Subject) {
	c := s.run(t)
	has := func() engine.Limits {
		t.Helper()
		found, err := s.Find(t.Context(), c.Name)
		ok(t, err)
		return found.Limits
	}
	before := has()
	err := s.SetLimits(t.Context(), c.ID, engine.Limits{Memory: 64 << 20, Pids: 200})
	if errors.Is(err, engine.ErrNoSetLimits) {
		if has() != before {
			t.Errorf("%+v, and before %+v", has(), before)
		}
		return
	}
	ok(t, err)
	for _, more := range []engine.Limits{{Memory: 96 << 20, CPUs: 5e8}, {CPUs: 5e8, Pids: engine.NoPidsLimit}} {
		ok(t, s.SetLimits(t.Context(), c.ID, more))
	}
	if got := has(); got != (engine.Limits{Memory: 96 << 20, CPUs: 5e8, Pids: engine.NoPidsLimit}) {
		t.Errorf("%+v", got)
	}
	ok(t, s.Stop(t.Context(), c.ID, 0))
	ok(t, s.SetLimits(t.Context(), c.ID, engine.Limits{Memory: 80 << 20}))
	ok(t, s.Start(t.Context(), c.ID))
	if got := has().Memory; got != 80<<20 {
		t.Errorf("memory %d", got)
	}
	ok(t, s.Remove(t.Context(), c.ID))
	if err := s.SetLimits(t.Context(), c.ID, engine.Limits{Pids: 5}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("after removal: %v", err)
	}
}

func concurrentRemovals(t *testing.T, s *Subject) {
	c := s.run(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := s.Remove(t.Context(), c.ID); err != nil && !errors.Is(err, engine.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, err := s.Find(t.Context(), c.Name); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("after removal: %v", err)
	}
}

func listOfOurs(t *testing.T, s *Subject) {
	foreign := s.spec()
	foreign.Labels = nil
	ours, other := s.create(t, s.spec()), s.create(t, foreign)
	if _, found := s.listed(t, false, other.ID); found {
		t.Error("a container without our label is listed")
	}
	if c, found := s.listed(t, false, ours.ID); !found || c.Name != ours.Name || c.State != engine.Created || c.Size != -1 ||
		c.Labels[engine.LabelOwner] != "1000" {
		t.Errorf("%+v", c)
	}
}

func listWithSizes(t *testing.T, s *Subject) {
	c := s.create(t, s.spec())
	if listed, found := s.listed(t, true, c.ID); !found || listed.Size < 0 {
		t.Errorf("%+v", listed)
	}
}

// listed returns a container of the list.
func (s *Subject) listed(t *testing.T, size bool, id string) (c *engine.Container, found bool) {
	t.Helper()
	list, err := s.List(t.Context(), size)
	ok(t, err)
	for _, c := range list {
		if c.ID == id {
			return c, true
		}
	}
	return nil, false
}

func commitAndCreate(t *testing.T, s *Subject) {
	c := s.create(t, s.spec())
	ok(t, s.PutFiles(t.Context(), c.ID, []engine.File{{Path: "/etc/marker", Mode: 0o644, Data: []byte("x")}}))
	ref := s.Name + "-commit"
	id, err := s.Commit(t.Context(), c.ID, ref)
	ok(t, err)
	if known, err := s.ImageID(t.Context(), ref); known != id || err != nil {
		t.Errorf("%s is %s %v, not %s", ref, known, err, id)
	}
	for image, committed := range map[string]bool{ref: true, id: true, s.Image: false} {
		i, err := s.Engine.Image(t.Context(), image)
		name := ref
		if !committed {
			name = s.Image
		}
		if err != nil || i.Committed != committed || !slices.Contains(i.Names, name) || !slices.Contains(i.Names, i.ID) ||
			committed && i.ID != id {
			t.Errorf("%s is %+v %v", image, i, err)
		}
	}
	if i, err := s.Engine.Image(t.Context(), s.Name+"-none"); !errors.Is(err, engine.ErrNoImage) {
		t.Errorf("an image that is not there: %+v %v", i, err)
	}
	spec := s.spec()
	spec.Image, spec.ImageID = ref, id
	if b, err := s.ReadFile(t.Context(), s.create(t, spec).ID, "/etc/marker"); err != nil || string(b) != "x" {
		t.Errorf("its file: %q %v", b, err)
	}
	if _, err := s.Commit(t.Context(), c.ID, "No Name"); !errors.Is(err, engine.ErrNoImage) {
		t.Errorf("a name that cannot be one: %v", err)
	}
}

func facts(t *testing.T, s *Subject) {
	if a, err := s.About(t.Context()); err != nil || a.Name == "" || a.Version == "" || a.Oldest == "" {
		t.Errorf("%+v %v", a, err)
	}
	if _, err := s.Remap(t.Context()); err != nil {
		t.Error(err)
	}
}

func cancelledCalls(t *testing.T, s *Subject) {
	c := s.create(t, s.spec())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, f := range map[string]func() error{
		"about":  func() error { _, err := s.About(ctx); return err },
		"find":   func() error { _, err := s.Find(ctx, c.Name); return err },
		"list":   func() error { _, err := s.List(ctx, false); return err },
		"create": func() error { _, err := s.Create(ctx, s.spec()); return err },
		"put":    func() error { return s.PutFiles(ctx, c.ID, []engine.File{{Path: "/x"}}) },
		"start":  func() error { return s.Start(ctx, c.ID) },
		"remove": func() error { return s.Remove(ctx, c.ID) },
	} {
		if err := f(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
	s.is(t, c.Name, engine.Created)
}
