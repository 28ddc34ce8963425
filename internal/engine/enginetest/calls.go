package enginetest

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// Find implements engine.Engine.
func (f *Fake) Find(ctx context.Context, name string) (*engine.Container, error) {
	err := f.begin(ctx, "Find")
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	b := f.containers[name]
	if b == nil {
		return nil, fmt.Errorf("%w: %s", engine.ErrNotFound, name)
	}
	c := b.copy(false)
	if f.Root != nil && b.State == engine.Running {
		c.Root = f.Root(b.spec)
	}
	return c, nil
}

// List implements engine.Engine; a size is the number of files put in.
func (f *Fake) List(ctx context.Context, size bool) ([]*engine.Container, error) {
	err := f.begin(ctx, "List")
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	var all []*engine.Container
	for _, name := range slices.Sorted(maps.Keys(f.containers)) {
		if _, ours := f.containers[name].Labels[engine.LabelOwner]; ours {
			all = append(all, f.containers[name].copy(size))
		}
	}
	return all, nil
}

// Usage implements engine.Engine: every running container uses nothing.
func (f *Fake) Usage(ctx context.Context, id string) (engine.Usage, error) {
	err := f.begin(ctx, "Usage")
	defer f.mu.Unlock()
	if err != nil {
		return engine.Usage{}, err
	}
	c, err := f.box(id)
	if err == nil && c.State != engine.Running {
		err = fmt.Errorf("%w: it does not run", engine.ErrNotFound)
	}
	return engine.Usage{At: time.Now()}, err
}

// Running implements engine.Engine.
func (f *Fake) Running(ctx context.Context, id string) (bool, error) {
	err := f.begin(ctx, "Running")
	defer f.mu.Unlock()
	if err != nil {
		return false, err
	}
	err = f.running(id)
	return err == nil, nil
}

// OutOfMemory implements engine.Engine; see KillForMemory.
func (f *Fake) OutOfMemory(ctx context.Context, id string, since time.Time) (bool, error) {
	err := f.begin(ctx, "OutOfMemory")
	defer f.mu.Unlock()
	if err != nil {
		return false, err
	}
	b, err := f.box(id)
	if err != nil {
		return false, err
	}
	return f.oom[b.Name].After(since), nil
}

// About implements engine.Engine.
func (f *Fake) About(ctx context.Context) (engine.About, error) {
	err := f.begin(ctx, "About")
	defer f.mu.Unlock()
	return f.Facts, err
}

// Close implements engine.Engine.
func (f *Fake) Close() error { return nil }

// Remap implements engine.Engine.
func (f *Fake) Remap(ctx context.Context) (engine.Remap, error) {
	err := f.begin(ctx, "Remap")
	defer f.mu.Unlock()
	return f.Remapped, err
}

// ImageID implements engine.Engine; an id names its image too.
func (f *Fake) ImageID(ctx context.Context, ref string) (string, error) {
	err := f.begin(ctx, "ImageID")
	defer f.mu.Unlock()
	if err != nil {
		return "", err
	}
	return f.imageID(ref)
}

func (f *Fake) imageID(ref string) (string, error) {
	if i, ok := f.images[ref]; ok {
		return i.id, nil
	}
	for _, i := range f.images {
		if i.id == ref {
			return i.id, nil
		}
	}
	return "", fmt.Errorf("%w: %s", engine.ErrNoImage, ref)
}

// Image implements engine.Engine.
func (f *Fake) Image(ctx context.Context, ref string) (engine.Image, error) {
	err := f.begin(ctx, "Image")
	defer f.mu.Unlock()
	if err != nil {
		return engine.Image{}, err
	}
	id, err := f.imageID(ref)
	if err != nil {
		return engine.Image{}, err
	}
	out := engine.Image{ID: id, Names: []string{id}}
	for name, i := range f.images {
		if i.id == id {
			out.Names = append(out.Names, f.ImageNames(name)...)
			out.Committed, out.Layer = out.Committed || i.committed, out.Layer || i.mark != ""
			out.Path = i.path
		}
	}
	return out, nil
}

// ImageNames implements engine.Engine: the tag latest need not be written.
func (f *Fake) ImageNames(ref string) []string {
	name, latest := strings.CutSuffix(ref, ":latest")
	if latest || !strings.Contains(name, ":") {
		return []string{name, name + ":latest"}
	}
	return []string{ref}
}

// Pull implements engine.Engine: it moves an image from Remote to the host.
func (f *Fake) Pull(ctx context.Context, ref string, progress func(string)) error {
	err := f.begin(ctx, "Pull")
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	id, ok := f.Remote[ref]
	if !ok {
		return fmt.Errorf("%w: %s", engine.ErrNoImage, ref)
	}
	if progress != nil {
		progress("pulling " + ref)
	}
	f.images[ref] = image{id: id}
	return nil
}

// Commit implements engine.Engine; the image has the files that were put in.
func (f *Fake) Commit(ctx context.Context, id, ref string) (string, error) {
	err := f.begin(ctx, "Commit")
	defer f.mu.Unlock()
	if err != nil {
		return "", err
	}
	b, err := f.box(id)
	if err != nil {
		return "", err
	}
	if ref == "" || strings.ContainsAny(ref, " ") || strings.ToLower(ref) != ref {
		return "", fmt.Errorf("%w: %q cannot be the name of one", engine.ErrNoImage, ref)
	}
	made := image{id: "sha256:" + f.newID(), files: f.filesOf(b), committed: true}
	f.images[ref] = made
	return made.id, nil
}

// Program implements engine.Engine.
func (f *Fake) Program() string { return f.ProgramName }

// Command implements engine.Engine, with a command line that nothing runs.
func (f *Fake) Command(s engine.Spec) []string {
	return slices.Concat([]string{f.ProgramName, "create", "--name=" + s.Name}, s.Options, []string{s.Image}, s.Cmd)
}

// Create implements engine.Engine; it takes any option.
func (f *Fake) Create(ctx context.Context, s engine.Spec) (*engine.Container, error) {
	err := f.begin(ctx, "Create")
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	id, err := f.imageID(cmp.Or(s.Layer, s.Image))
	if err != nil {
		return nil, err
	}
	if s.ImageID != "" && s.Layer == "" && id != s.ImageID {
		return nil, fmt.Errorf("%s now names another image than %s", s.Image, s.ImageID)
	}
	if f.containers[s.Name] != nil {
		return nil, fmt.Errorf("%w: %s", engine.ErrNameTaken, s.Name)
	}
	b := &box{spec: s, files: map[string]engine.File{}, Container: engine.Container{
		ID: f.newID(), Name: s.Name, Image: s.Image, ImageID: id, State: engine.Created,
		Created: time.Now(), Labels: maps.Clone(s.Labels), Size: -1,
	}}
	f.containers[s.Name] = b
	return b.copy(false), nil
}

// ReadFile implements engine.Engine.
func (f *Fake) ReadFile(ctx context.Context, id, name string) ([]byte, error) {
	err := f.begin(ctx, "ReadFile")
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	b, err := f.neverStarted(id)
	if err != nil {
		return nil, err
	}
	if file, ok := b.files[name]; ok && !file.Dir {
		return slices.Clone(file.Data), nil
	}
	for _, i := range f.images {
		if data, ok := i.files[name]; ok && i.id == b.ImageID {
			return slices.Clone(data), nil
		}
	}
	return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
}

// neverStarted finds a container that was never started.
func (f *Fake) neverStarted(id string) (*box, error) {
	b, err := f.box(id)
	if err == nil && b.started {
		err = fmt.Errorf("container %s was started before: its files are not touched", id)
	}
	return b, err
}

// Start implements engine.Engine.
func (f *Fake) Start(ctx context.Context, id string) error {
	spec, err := f.start(ctx, id)
	if err == nil && f.OnStart != nil {
		f.OnStart(spec)
	}
	return err
}

func (f *Fake) start(ctx context.Context, id string) (engine.Spec, error) {
	err := f.begin(ctx, "Start")
	defer f.mu.Unlock()
	if err != nil {
		return engine.Spec{}, err
	}
	b, err := f.box(id)
	if err != nil {
		return engine.Spec{}, err
	}
	if b.State == engine.Dead || b.State == engine.Removing {
		return engine.Spec{}, fmt.Errorf("container %s is %s and cannot be started", id, b.State)
	}
	b.State, b.started, b.Pid = engine.Running, true, cmp.Or(f.pid, os.Getpid()) // has the user namespace of the test
	return b.spec, nil
}

// Stop implements engine.Engine; it does not wait.
func (f *Fake) Stop(ctx context.Context, id string, _ time.Duration) error {
	err := f.begin(ctx, "Stop")
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	b, err := f.box(id)
	if err == nil && b.State != engine.Created {
		b.State, b.Pid = engine.Exited, 0
	}
	return err
}

// SetLimits implements engine.Engine.
func (f *Fake) SetLimits(ctx context.Context, id string, l engine.Limits) error {
	err := f.begin(ctx, "SetLimits")
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	b, err := f.box(id)
	if err != nil {
		return err
	}
	has := &b.Limits
	has.Memory, has.CPUs, has.Pids = cmp.Or(l.Memory, has.Memory), cmp.Or(l.CPUs, has.CPUs), cmp.Or(l.Pids, has.Pids)
	return nil
}

// Remove implements engine.Engine.
func (f *Fake) Remove(ctx context.Context, id string) error {
	err := f.begin(ctx, "Remove")
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	b, err := f.box(id)
	if err == nil {
		delete(f.containers, b.Name)
	}
	return err
}

// Exec implements engine.Engine; nothing runs but OnExec.
func (f *Fake) Exec(ctx context.Context, id string, as engine.As, argv []string) error {
	err := f.begin(ctx, "Exec")
	if err == nil && len(argv) == 0 {
		err = fmt.Errorf("exec in container %s: no program given", id)
	}
	if err == nil {
		err = f.running(id)
	}
	f.mu.Unlock()
	if err == nil && f.OnExec != nil {
		f.OnExec(Exec{ID: id, As: as, Argv: argv})
	}
	return err
}
