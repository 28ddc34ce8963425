package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/state"
)

// A container that is carried over to other settings gets another one in its place: made from an
// image of its file system, with its volumes. Until nobody can lose anything by it the former
// container exists, under OldName. Each step can be the last one of a broker: before the
// first one the inventory has what is under way, and the next holder of the lock calls Recover.

// Kept is the error of a container that is not carried over: it stays as it is, and why.
type Kept string

func (k Kept) Error() string { return string(k) }

const oldPrefix = "dockersh-old."

// OldName is the name of a container while another one takes its place.
func OldName(container string) string { return oldPrefix + container }

// IsOld reports whether a container has its name from OldName.
func IsOld(c *engine.Container) bool {
	_, dir, _ := strings.Cut(c.Labels[engine.LabelMark], ":")
	return dir != "" && c.Name == OldName(path.Base(dir))
}

// Place is what a container has the name of. Its lock is held.
type Place struct {
	Engine    engine.Engine
	Host      string // of the engine's address
	Inventory state.Inventory
	Dir       state.ContainerDir
}

// freeBeside is how many bytes must be left of the disk when a container is carried over.
const freeBeside = 64 << 20

// CheckRoom returns Kept unless the name for the container before is free, and there is room for
// another copy of what a container has in its own layer, and for what an engine writes on the way.
func (p Place) CheckRoom(ctx context.Context, old *engine.Container) (size int64, err error) {
	left, err := p.find(ctx, OldName(p.Dir.Name()))
	if err != nil {
		return 0, err
	}
	if left != nil {
		return 0, Kept("the container " + left.Name + " was left; the administrator can look into it and remove it")
	}
	size, free, err := p.Engine.LayerRoom(ctx, old.ID)
	if err == nil && free-freeBeside < 2*size {
		err = Kept(fmt.Sprintf("it has %d MB in it, and the disk of the engine has only %d MB free", size/1e6, free/1e6))
	}
	return size, err
}

// copyLimit is how long a container may take until another one has its place.
const copyLimit = 30 * time.Minute

// CarryOver puts another container in the place of one; make makes and starts it. The former
// container is shut, and nobody is in it. With an error it is there as before, but stopped, and
// with ErrUnfinished the next holder of the lock has to see to that. A login that is broken off
// ends nothing here: an engine goes on with a copy that nobody waits for any more, and the next
// login would begin another one beside it.
func (p Place) CarryOver(ctx context.Context, old *engine.Container, entry state.Expected,
	make func(ctx context.Context, layer string) (*engine.Container, error)) (*engine.Container, error) {
	ctx = context.WithoutCancel(ctx)
	copying, cancel := context.WithTimeout(ctx, copyLimit)
	defer cancel()
	if old.State == engine.Running {
		if err := p.Engine.Stop(copying, old.ID, StopGrace); err != nil {
			return nil, err
		}
	}
	next, err := p.replace(copying, old, entry, make)
	ending, cancelEnd := context.WithTimeout(ctx, recoverLimit)
	defer cancelEnd()
	if undoErr := p.Recover(ending); undoErr != nil && err != nil {
		return nil, fmt.Errorf("%w: %w; %w", ErrUnfinished, err, undoErr)
	}
	return next, err // without an error somebody else may end it
}

// ErrUnfinished is returned where a container could not be given its name again.
var ErrUnfinished = errors.New("the container is not back yet")

// recoverLimit is how long Recover may take; a large container may be removed in it.
const recoverLimit = 2 * time.Minute

func (p Place) replace(ctx context.Context, old *engine.Container, entry state.Expected,
	make func(ctx context.Context, layer string) (*engine.Container, error)) (*engine.Container, error) {
	name := p.Dir.Name()
	begun := entry
	begun.ID, begun.Carrying = old.ID, true
	if err := p.Inventory.Set(name, begun); err != nil {
		return nil, err
	}
	layer, err := p.Engine.CarryLayer(ctx, old.ID, p.Dir.Mark())
	if err != nil {
		return nil, err
	}
	if err := p.Engine.Rename(ctx, old.ID, OldName(name)); err != nil {
		return nil, err
	}
	// The next one is not to be entered before it has the place for good.
	if err := p.Dir.Disown(); err != nil {
		return nil, err
	}
	next, err := make(ctx, layer)
	if err != nil {
		return nil, err
	}
	// The former one is on the disk for long, and its copy is not yet.
	if err := p.Engine.SyncLayers(ctx); err != nil {
		return nil, err
	}
	done := entry
	done.ID, done.Old = next.ID, old.ID
	return next, p.Inventory.Set(name, done)
}

// Recover ends or undoes what a CarryOver left that did not come to its end. Afterwards the
// container of the name is the one that somebody may have worked in. A former one that cannot be
// removed keeps nobody out of it: the inventory has it for the next call.
func (p Place) Recover(ctx context.Context) error {
	err := p.recover(ctx)
	if errors.Is(err, errFormerStays) {
		return nil
	}
	return err
}

// errFormerStays is returned where the container of the name is the right one, and the one before
// cannot be removed.
var errFormerStays = errors.New("the container before cannot be removed")

func (p Place) recover(ctx context.Context) error {
	name := p.Dir.Name()
	s, ok := p.Inventory.Get(name)
	if !ok || !s.Carrying && s.Old == "" || !engine.SameHost(s.Engine, p.Host) {
		return nil
	}
	at, err := p.find(ctx, name)
	if err != nil {
		return err
	}
	old, err := p.find(ctx, OldName(name))
	if err != nil {
		return err
	}
	formerly := s.Old
	if s.Carrying {
		formerly = s.ID
	}
	stays := at
	switch {
	case old == nil || old.ID != formerly: // not renamed yet, or gone
	case !s.Carrying && (at == nil || at.ID != s.ID):
		// Somebody removed it, with what was done in it. The one before is an administrator's.
	case !s.Carrying:
		if err := p.Engine.Remove(ctx, old.ID); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return fmt.Errorf("%w: %w", errFormerStays, err)
		}
	case at == nil || at.Labels[engine.LabelFrom] == old.ID:
		if at != nil { // nobody has entered it
			if err := p.Engine.Remove(ctx, at.ID); err != nil && !errors.Is(err, engine.ErrNotFound) {
				return err
			}
		}
		if err := p.Engine.Rename(ctx, old.ID, name); err != nil {
			return err
		}
		stays = old
	default:
		return usererr.New(usererr.Container, "another container has the name "+name+", and the one before is "+old.Name,
			"ask the administrator to run: "+p.Engine.Program()+" rename "+name+" OTHER", nil)
	}
	whole := state.Expected{ID: s.ID, UID: s.UID, Engine: s.Engine}
	if stays != nil {
		whole.ID = stays.ID
	}
	if err := p.Inventory.Set(name, whole); err != nil {
		if err := p.Inventory.Remove(name); err != nil { // takes no room on a full disk
			return err
		}
	}
	_ = p.Engine.RemoveLayers(ctx, p.Dir.Mark()) // else the next time; nobody waits for it
	return nil
}

// Restore renames a container back if there is none of its name: a broker was killed
// that had asked the engine to rename it, and the engine did so late. ok reports whether it did.
// One that the inventory does not expect is older than the container that was removed.
func (p Place) Restore(ctx context.Context) (ok bool, err error) {
	s, ok := p.Inventory.Get(p.Dir.Name())
	if !ok {
		return false, nil
	}
	old, err := p.find(ctx, OldName(p.Dir.Name()))
	if err != nil || old == nil || old.ID != s.ID || !IsOld(old) || !p.Dir.HasMark(old.Labels[engine.LabelMark]) {
		return false, err
	}
	return true, p.Engine.Rename(ctx, old.ID, p.Dir.Name())
}

// IsLeft reports whether a container has its name from OldName and no Recover knows of it: it
// stays until an administrator removes it, or the container of the name.
func IsLeft(inventory state.Inventory, c *engine.Container) bool {
	if !IsOld(c) {
		return false
	}
	s, ok := inventory.Get(strings.TrimPrefix(c.Name, oldPrefix))
	return !ok || s.ID != c.ID && s.Old != c.ID // s.ID: it is renamed, or was so late
}

// RemoveOld removes what a carry-over left beside a container, if anything: it is about to be
// removed for good.
func RemoveOld(ctx context.Context, e engine.Engine, found *engine.Container) error {
	old, err := e.Find(ctx, OldName(found.Name))
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil || !IsOld(old) || old.Labels[engine.LabelMark] != found.Labels[engine.LabelMark] {
		return err
	}
	if err := e.Remove(ctx, old.ID); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	return nil
}

// find returns the container of a name; nil if there is none.
func (p Place) find(ctx context.Context, name string) (*engine.Container, error) {
	found, err := p.Engine.Find(ctx, name)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil
	}
	return found, err
}
