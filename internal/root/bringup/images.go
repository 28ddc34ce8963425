package bringup

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// images are the images on the engines' hosts, and the accounts in them, which are read
// once for each image.
type images struct {
	state state.Images
	queue wait.Queue  // of pulls of one image, and of looks into one
	pulls *wait.Turns // one for each image that is being pulled
}

// pullsAtOnce is how many images are pulled at a time, and pullsOfUser how many for one
// user: a registry that never finishes takes a place for an hour.
const (
	pullsAtOnce = 16
	pullsOfUser = 2
)

func newImages(s state.Images) images {
	return images{state: s, pulls: wait.NewTurns(pullsAtOnce, pullsOfUser)}
}

// provide makes sure that the plan's image is on the engine's host, as `pull` says, and
// that its user may have it, and returns its id. Show receives lines for the user.
func (i *images) provide(ctx context.Context, e engine.Engine, plan *policy.Plan, show func(line string)) (string, error) {
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
func (i *images) fetch(ctx context.Context, e engine.Engine, plan *policy.Plan, show func(line string)) (string, error) {
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
			return "", noImage(s.ImageName, err)
		}
		return id, nil
	}
	ctx, cancel := context.WithTimeout(ctx, pullLimit)
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
	place, err := i.pulls.Take(ctx, plan.User.UID)
	if err != nil {
		return "", err
	}
	defer place()
	if err := e.Pull(ctx, s.ImageName, show); err != nil {
		if errors.Is(err, engine.ErrDown) || ctx.Err() != nil {
			return "", err
		}
		return "", noImage(s.ImageName, err)
	}
	id, err = e.ImageID(ctx, s.ImageName)
	if errors.Is(err, engine.ErrNoImage) {
		return "", noImage(s.ImageName, err)
	}
	return id, err
}

func noImage(name string, cause error) error {
	return usererr.New(usererr.Container, "there is no image "+name, "ask the administrator to run: docker pull "+name, cause)
}

// accounts returns the accounts of an image. They are read out of a probe, a container
// that is made for this and never started.
func (i *images) accounts(ctx context.Context, e engine.Engine, id string) (state.Accounts, error) {
	release, err := i.queue.Lock(ctx, id)
	if err != nil {
		return state.Accounts{}, err
	}
	defer release()
	a, err := i.state.Get(id)
	if !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	unlock, err := i.state.Lock(ctx, id)
	if err != nil {
		return a, err
	}
	defer unlock()
	if a, err = i.state.Get(id); !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	if a, err = probe(ctx, e, id); err != nil {
		return a, err
	}
	if err := i.state.Put(id, a); err != nil {
		return a, err
	}
	go i.dropGone(e, id) // no login waits for it
	return a, nil
}

// dropLimit is how long the engine may take to say which images it has.
const dropLimit = time.Minute

// dropGone drops what is kept of images, but one, that an engine does not have. Those of another
// engine are looked into again when they are needed.
func (i *images) dropGone(e engine.Engine, but string) {
	ctx, cancel := context.WithTimeout(context.Background(), dropLimit)
	defer cancel()
	for _, id := range i.state.IDs() {
		if id == but {
			continue
		}
		switch _, err := e.ImageID(ctx, id); {
		case errors.Is(err, engine.ErrNoImage):
			i.state.Remove(id)
		case err != nil:
			return // at worst it stays until others take its place
		}
	}
}

// probeRemoveLimit is how long the removal of a probe may take.
const probeRemoveLimit = 2 * time.Minute

// RemoveProbe removes a probe that a killed broker left, and waits for one that is in
// use; ok is false if the container is not a probe.
func (b *Bringup) RemoveProbe(ctx context.Context, e engine.Engine, c *engine.Container) (ok bool, err error) {
	if !isProbe(c) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeRemoveLimit)
	defer cancel()
	unlock, err := b.images.state.Lock(ctx, c.ImageID)
	if err != nil {
		return true, err
	}
	defer unlock()
	if err := e.Remove(ctx, c.ID); !errors.Is(err, engine.ErrNotFound) {
		return true, err
	}
	return true, nil
}

// probeName names the probe of an image. Brokers of the same uid keep the same directory
// of images, whose lock keeps them out of each other's way.
func probeName(imageID string) string {
	_, hash, _ := strings.Cut(imageID, ":")
	return "dockersh-probe-" + strconv.Itoa(os.Geteuid()) + "-" + hash[:min(len(hash), 32)]
}

func isProbe(c *engine.Container) bool {
	return c.Name == probeName(c.ImageID) && c.Labels[engine.LabelIdentity] == policy.Probe
}

// probe reads the accounts of an image. The lock is held.
func probe(ctx context.Context, e engine.Engine, imageID string) (a state.Accounts, err error) {
	spec := engine.Spec{
		Name: probeName(imageID), Image: imageID, Network: "none", Entrypoint: "/nonexistent", QuietLog: true,
		Labels: policy.Owner{Identity: policy.Probe}.Labels(),
	}
	made, err := e.Create(ctx, spec)
	if errors.Is(err, engine.ErrNameTaken) { // left by a killed broker
		var old *engine.Container
		if old, err = e.Find(ctx, spec.Name); err == nil && isProbe(old) {
			err = e.Remove(ctx, old.ID)
		}
		if err == nil || errors.Is(err, engine.ErrNotFound) {
			made, err = e.Create(ctx, spec)
		}
	}
	if err != nil {
		return a, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_ = e.Remove(ctx, made.ID) // at worst it stays until the next probe, and is never started
	}()
	for _, f := range []struct {
		path string
		to   *[]byte
	}{{"/etc/passwd", &a.Passwd}, {"/etc/group", &a.Group}} {
		if *f.to, err = e.ReadFile(ctx, made.ID, f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return a, err
		}
	}
	return a, nil
}

// accountFiles returns the files that make the container know its user: private copies,
// not mounts, because the host's files change under a mount and useradd cannot replace a
// mount point. An image that knows the user already, such as one of dockershctl commit,
// stays as it is, unless it is foreign. Engines look even numbers up as names, in the
// group file of the container, at each start and exec: in a foreign image its directory
// and it may belong to the user, who would add a line such as "1001:x:0:".
func accountFiles(image state.Accounts, user account.Identity, makeHome, foreign bool) ([]engine.File, error) {
	passwd, group, err := account.Merge(image.Passwd, image.Group, user)
	if err != nil {
		return nil, err
	}
	var files []engine.File
	if foreign {
		files = append(files, engine.File{Path: "/etc", Mode: 0o755, Dir: true, Reset: true})
	}
	for _, f := range []struct {
		path          string
		image, merged []byte
	}{{"/etc/passwd", image.Passwd, passwd}, {"/etc/group", image.Group, group}} {
		if foreign || !bytes.Equal(f.image, f.merged) {
			files = append(files, engine.File{Path: f.path, Mode: 0o644, Data: f.merged})
		}
	}
	if makeHome && user.UID != 0 && homeIsFree(image, user) {
		files = append(files, engine.File{Path: user.Home, Mode: 0o755, UID: user.UID, GID: user.GID, Dir: true})
	}
	return files, nil
}

// homeIsFree reports whether the home may be made for the user: it is not a directory of
// the system, nor of another user of the image. One that the image has stays as it is.
func homeIsFree(image state.Accounts, user account.Identity) bool {
	home := filepath.Clean(user.Home)
	if home == "/" || !filepath.IsAbs(home) || strings.Count(home, "/") < 2 {
		return false
	}
	for _, e := range account.ParsePasswd(image.Passwd) {
		if filepath.Clean(e.Home) == home {
			return e.Name == user.Name
		}
	}
	return true
}
