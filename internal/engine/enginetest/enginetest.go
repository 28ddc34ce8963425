// Package enginetest has a container engine in memory, for tests of packages that use an engine.
package enginetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// Fake is an engine in memory; New returns one without containers and images. Set its
// hooks before the first call.
type Fake struct {
	// OnStart is called with the description of every container that has been
	// started: the place to let an agent appear. Containers of Add have only a name.
	OnStart func(engine.Spec)
	// OnExec is called for every program that Exec starts.
	OnExec func(Exec)
	// OnStream runs as every program that ExecStream starts; it returns the exit code.
	OnStream func(Inside) int
	// Root returns the root directory of a container that runs, as often as it is looked
	// at; without it containers have none.
	Root func(engine.Spec) string
	// Facts and Remapped are what About and Remap return.
	Facts    engine.About
	Remapped engine.Remap
	// ProgramName is what Program returns.
	ProgramName string
	// Remote are images that Pull can fetch: reference to id.
	Remote map[string]string

	mu         sync.Mutex
	pid        int
	images     map[string]image
	containers map[string]*box // by name
	fail       map[string]error
	calls      map[string]int
	failed     uint64
	held       map[string]*hold
	oom        map[string]time.Time // by name: when something was killed
	ids        int
	free       int64 // see SetFree
	presences  []engine.Presence
}

var _ engine.Engine = (*Fake)(nil)

// Exec is one call of Exec.
type Exec struct {
	ID   string
	As   engine.As
	Argv []string
}

type image struct {
	id    string
	files map[string][]byte
	links map[string]string
	dirs  []string

	committed bool // from a container
	mark      string
	path      string
}

type box struct {
	engine.Container
	spec    engine.Spec
	started bool
	files   map[string]engine.File
}

// New returns an engine with nothing in it.
func New() *Fake {
	return &Fake{
		ProgramName: "fake", Remote: map[string]string{}, images: map[string]image{}, containers: map[string]*box{},
		free: 1 << 40, fail: map[string]error{}, calls: map[string]int{}, oom: map[string]time.Time{},
	}
}

// AddImage adds an image to the host, with files by absolute path.
func (f *Fake) AddImage(ref, id string, files map[string][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.images[ref] = image{id: id, files: files}
}

// SetPath sets the PATH of an image of the host.
func (f *Fake) SetPath(ref, path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.images[ref]
	i.path = path
	f.images[ref] = i
}

// AddLink adds a symbolic link to an image of the host.
func (f *Fake) AddLink(ref, path, target string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.images[ref]
	if i.links == nil {
		i.links = map[string]string{}
	}
	i.links[path] = target
	f.images[ref] = i
}

// AddDir adds a directory to an image of the host.
func (f *Fake) AddDir(ref, path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.images[ref]
	i.dirs = append(i.dirs, path)
	f.images[ref] = i
}

// Add adds a container that was made by hand. An empty ID is filled in.
func (f *Fake) Add(c engine.Container) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.ID == "" {
		c.ID = f.newID()
	}
	f.containers[c.Name] = &box{Container: c, spec: engine.Spec{Name: c.Name}, started: c.State != engine.Created,
		files: map[string]engine.File{}}
}

// Fail makes a method, by its name, return err until it is called with nil.
func (f *Fake) Fail(method string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[method] = err
}

// hold is a method that waits.
type hold struct{ began, released chan struct{} }

// Hold makes a method, by its name, wait in each call until release; began receives a
// value for each call that waits, of which it can hold many.
func (f *Fake) Hold(method string) (began <-chan struct{}, release func()) {
	h := &hold{make(chan struct{}, 1024), make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held == nil {
		f.held = map[string]*hold{}
	}
	f.held[method] = h
	return h.began, sync.OnceFunc(func() {
		f.mu.Lock()
		delete(f.held, method)
		f.mu.Unlock()
		close(h.released)
	})
}

// Calls returns how often a method, by its name, was called.
func (f *Fake) Calls(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[method]
}

// Counts implements engine.Engine.
func (f *Fake) Counts() engine.Counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := engine.Counts{Failed: f.failed}
	for _, n := range f.calls {
		all.Calls += uint64(n)
	}
	return all
}

// Spec returns the description that a container was made from; false without one.
func (f *Fake) Spec(name string) (engine.Spec, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.containers[name]; b != nil {
		return b.spec, true
	}
	return engine.Spec{}, false
}

// File returns what PutFiles wrote.
func (f *Fake) File(name, path string) (engine.File, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.containers[name]; b != nil {
		file, ok := b.files[path]
		return file, ok
	}
	return engine.File{}, false
}

// SetState changes the state of a container, as an administrator or a fault may.
func (f *Fake) SetState(name string, s engine.State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.containers[name]; b != nil {
		b.State, b.Pid = s, 0
	}
}

// SetPid sets the process 1 of the containers that are started from now on; 0: the test's
// own process.
func (f *Fake) SetPid(pid int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pid = pid
}

// KillForMemory makes OutOfMemory report a kill in a container.
func (f *Fake) KillForMemory(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.oom[name] = time.Now()
}

// begin counts a call and returns the error that it shall fail with. It locks f.mu.
func (f *Fake) begin(ctx context.Context, method string) error {
	f.mu.Lock()
	if h := f.held[method]; h != nil {
		f.mu.Unlock()
		h.began <- struct{}{}
		<-h.released
		f.mu.Lock()
	}
	f.calls[method]++
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.fail[method] != nil {
		f.failed++
	}
	return f.fail[method]
}

func (f *Fake) newID() string {
	f.ids++
	return fmt.Sprintf("%064x", f.ids)
}

// box finds a container by id or name.
func (f *Fake) box(id string) (*box, error) {
	for _, b := range f.containers {
		if b.ID == id || b.Name == id {
			return b, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", engine.ErrNotFound, id)
}

// running returns an error unless a container runs.
func (f *Fake) running(id string) error {
	b, err := f.box(id)
	if err == nil && b.State != engine.Running {
		err = fmt.Errorf("container %s is not running", id)
	}
	return err
}

func (b *box) copy(size bool) *engine.Container {
	c := b.Container
	c.Labels, c.Size = maps.Clone(c.Labels), -1
	if c.Mounts == nil {
		c.Mounts = slices.Clone(b.spec.Mounts)
		for _, v := range b.spec.Volumes {
			if source, target, ok := strings.Cut(v, ":"); ok {
				c.Mounts = append(c.Mounts, engine.Mount{Source: source, Target: target})
			}
		}
	}
	if size {
		c.Size = int64(len(b.files))
	}
	return &c
}
