// Package images provides the images that containers are made of: it pulls them, and reads
// the accounts in them, once for each image.
package images

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// PullLimit is the longest that a pull may take; it ends when the user gives up.
const PullLimit = 60 * time.Minute

// Images are the images on the engines' hosts.
type Images struct {
	run   state.RunDir
	kept  keptAccounts
	queue wait.Queue  // of pulls of one image, and of looks into one
	pulls *wait.Turns // one for each image that is being pulled
}

// pullsAtOnce is how many images are pulled at a time, and pullsOfUser how many for one
// user: a registry that never finishes holds a slot for an hour.
const (
	pullsAtOnce = 16
	pullsOfUser = 2
)

// New returns the images whose accounts are kept in a run-time directory.
func New(run state.RunDir) *Images {
	return &Images{run: run, kept: keptAccounts(run.Images()), pulls: wait.NewTurns(pullsAtOnce, pullsOfUser)}
}

// Provide makes sure that the plan's image is on the engine's host, as `pull` wants, and
// that its user may have it, and returns its id. Show receives lines for the user.
func (i *Images) Provide(ctx context.Context, e engine.Engine, plan *policy.Plan, show func(line string)) (string, error) {
	id, err := i.fetch(ctx, e, plan, show)
	if err != nil || !plan.NamesImage() {
		return id, err
	}
	image, err := e.Image(ctx, id)
	if err != nil {
		return "", err
	}
	return id, plan.AdmitImage(image)
}

// fetch makes sure that the plan's image is on the engine's host.
func (i *Images) fetch(ctx context.Context, e engine.Engine, plan *policy.Plan, show func(line string)) (string, error) {
	s := plan.Settings
	id, err := e.ImageID(ctx, s.ImageName)
	missing := errors.Is(err, engine.ErrNoImage)
	if err != nil && !missing {
		return "", err
	}
	if denied := plan.AdmitPull(e.ImageNames(s.ImageName)); denied != nil {
		if missing {
			return "", denied
		}
		return id, nil // it may have another name that is allowed
	}
	if s.Pull == "never" || s.Pull == "missing" && !missing {
		if missing {
			return "", noImage(e, s.ImageName, err)
		}
		return id, nil
	}
	ctx, cancel := context.WithTimeout(ctx, PullLimit)
	defer cancel()
	show("pulling the image " + s.ImageName)
	release, err := i.queue.Lock(ctx, "pull "+s.ImageName) // once, for all that wait for it
	if err != nil {
		return "", err
	}
	defer release()
	if id, err := e.ImageID(ctx, s.ImageName); err == nil && s.Pull == "missing" {
		return id, nil
	}
	releaseSlot, err := i.pulls.Acquire(ctx, plan.User.UID)
	if err != nil {
		return "", err
	}
	defer releaseSlot()
	if err := e.Pull(ctx, s.ImageName, show); err != nil {
		if !missing && ctx.Err() == nil {
			plan.Notice = append(plan.Notice, "dockersh: the image "+s.ImageName+
				" cannot be pulled now, so the one that is here is used")
			return id, nil
		}
		if errors.Is(err, engine.ErrDown) || ctx.Err() != nil {
			return "", err
		}
		return "", noImage(e, s.ImageName, err)
	}
	id, err = e.ImageID(ctx, s.ImageName)
	if errors.Is(err, engine.ErrNoImage) {
		return "", noImage(e, s.ImageName, err)
	}
	return id, err
}

func noImage(e engine.Engine, name string, cause error) error {
	if !errors.Is(cause, engine.ErrNoImage) {
		cause = fmt.Errorf("%w: %w", engine.ErrNoImage, cause)
	}
	return usererr.New(usererr.Container, "there is no image "+name, "ask the administrator to run: "+e.Program()+" pull "+name, cause)
}

// Accounts returns the accounts of an image. They are read out of a probe, a container
// that is made for this and never started.
func (i *Images) Accounts(ctx context.Context, e engine.Engine, id string) (Accounts, error) {
	release, err := i.queue.Lock(ctx, id)
	if err != nil {
		return Accounts{}, err
	}
	defer release()
	a, err := i.kept.get(id)
	if !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	unlock, err := i.kept.lock(ctx, id)
	if err != nil {
		return a, err
	}
	defer unlock()
	if a, err = i.kept.get(id); !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	err = i.withProbe(ctx, e, id, func(probe string) error {
		a, err = accountsIn(ctx, e, id, probe)
		return err
	})
	if err != nil {
		return a, err
	}
	if err := i.kept.put(id, a); err != nil {
		return a, err
	}
	go i.dropGone(e, id) // no login waits for it
	return a, nil
}

// dropLimit is how long the engine may take to list its images.
const dropLimit = time.Minute

// dropGone drops what is kept of images, but one, that an engine does not have. Those of another
// engine are looked into again when they are needed.
func (i *Images) dropGone(e engine.Engine, but string) {
	ctx, cancel := context.WithTimeout(context.Background(), dropLimit)
	defer cancel()
	for _, id := range i.kept.ids() {
		if id == but {
			continue
		}
		switch _, err := e.ImageID(ctx, id); {
		case errors.Is(err, engine.ErrNoImage):
			i.kept.remove(id)
		case err != nil:
			return // at worst it stays until others take its place
		}
	}
}
