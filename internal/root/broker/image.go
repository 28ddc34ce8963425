package broker

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// image makes sure that the image is here, as `pull` says, and gives its id.
func (c *cold) image(ctx context.Context) (string, error) {
	s := c.plan.Settings
	id, err := c.engine.ImageID(ctx, s.ImageName)
	missing := errors.Is(err, engine.ErrNoImage)
	if err != nil && !missing {
		return "", err
	}
	if s.Pull == "never" || s.Pull == "missing" && !missing {
		if missing {
			return "", noImage(s.ImageName, err)
		}
		return id, nil
	}
	ctx, cancel := context.WithTimeout(ctx, pullLimit)
	defer cancel()
	c.show("pulling the image " + s.ImageName)
	release, err := c.turns.take(ctx, "pull "+s.ImageName) // once, for all who wait for it
	if err != nil {
		return "", err
	}
	defer release()
	if id, err := c.engine.ImageID(ctx, s.ImageName); err == nil && s.Pull == "missing" {
		return id, nil
	}
	if err := c.engine.Pull(ctx, s.ImageName, c.show); err != nil {
		if errors.Is(err, engine.ErrDown) || ctx.Err() != nil {
			return "", err
		}
		return "", noImage(s.ImageName, err)
	}
	id, err = c.engine.ImageID(ctx, s.ImageName)
	if errors.Is(err, engine.ErrNoImage) {
		return "", noImage(s.ImageName, err)
	}
	return id, err
}

func noImage(name string, cause error) error {
	return usererr.New(usererr.Container, "there is no image "+name, "ask the administrator to pull or build it", cause)
}

// accounts are an image's own passwd and group.
type accounts struct{ passwd, group []byte }

// images keeps the accounts of each image, by its id: they never change. Brokers
// that live for one login share them through the files.
type images struct {
	dir   string
	turns turns
}

// place is where the accounts of an image are; beside it lies a lock, for brokers that
// look into it at the same time.
func (i *images) place(id string) string {
	return filepath.Join(i.dir, strings.ReplaceAll(id, ":", "-"))
}

// of reads the accounts of an image, out of a container that is made for this
// and never started.
func (i *images) of(ctx context.Context, e engine.Engine, id string) (accounts, error) {
	release, err := i.turns.take(ctx, id)
	if err != nil {
		return accounts{}, err
	}
	defer release()
	dir := i.place(id)
	a, err := readAccounts(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	unlock, err := i.lock(ctx, id)
	if err != nil {
		return a, err
	}
	defer unlock()
	if a, err = readAccounts(dir); !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	if a, err = probe(ctx, e, id); err != nil {
		return a, err
	}
	return a, a.write(dir)
}

func (i *images) lock(ctx context.Context, id string) (unlock func(), err error) {
	if err := os.MkdirAll(i.dir, 0o700); err != nil {
		return nil, err
	}
	return rundir.LockFile(ctx, i.place(id)+".lock")
}

// forget removes a probe of a broker that was killed; one that is in use it lets be.
func (i *images) forget(ctx context.Context, e engine.Engine, probe *engine.Container) error {
	ctx, cancel := context.WithTimeout(ctx, tendLimit)
	defer cancel()
	unlock, err := i.lock(ctx, probe.ImageID)
	if err != nil {
		return err
	}
	defer unlock()
	if err := e.Remove(ctx, probe.ID); !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	return nil
}

// probeName names a probe. Brokers of the same rights keep the same place, and so
// keep out of each other's way by its lock.
func probeName(imageID string) string {
	_, hash, _ := strings.Cut(imageID, ":")
	return "dockersh-probe-" + itoa(os.Geteuid()) + "-" + hash[:min(len(hash), 32)]
}

func isProbe(c *engine.Container) bool {
	return c.Name == probeName(c.ImageID) && c.Labels[engine.LabelIdentity] == policy.Probe
}

func readAccounts(dir string) (a accounts, err error) {
	if a.passwd, err = os.ReadFile(filepath.Join(dir, "passwd")); err == nil {
		a.group, err = os.ReadFile(filepath.Join(dir, "group"))
	}
	return a, err
}

// write puts both files there at once.
func (a accounts) write(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for name, b := range map[string][]byte{"passwd": a.passwd, "group": a.group} {
		if err := os.WriteFile(filepath.Join(tmp, name), b, 0o600); err != nil {
			return err
		}
	}
	if err := os.Rename(tmp, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// probe looks into an image. The lock is held.
func probe(ctx context.Context, e engine.Engine, imageID string) (a accounts, err error) {
	spec := engine.Spec{
		Name: probeName(imageID), Image: imageID, Network: "none", Entrypoint: "/nonexistent", QuietLog: true,
		Labels: policy.Owner{Identity: policy.Probe}.Labels(),
	}
	made, err := e.Create(ctx, spec)
	if errors.Is(err, engine.ErrNameTaken) { // a broker was killed that looked into it
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
		_ = e.Remove(ctx, made.ID) // at worst it stays until the next one, and is never started
	}()
	for _, f := range []struct {
		path string
		to   *[]byte
	}{{"/etc/passwd", &a.passwd}, {"/etc/group", &a.group}} {
		if *f.to, err = e.ReadFile(ctx, made.ID, f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return a, err
		}
	}
	return a, nil
}

// with gives the files that make the container know its user: private copies,
// not mounts, because the host's change under a mount and useradd cannot replace
// a mount point. An image that knows him already, as one of dockershctl commit does,
// stays as it is.
func (a accounts) with(who account.Identity, makeHome bool) ([]engine.File, error) {
	passwd, group, err := account.Merge(a.passwd, a.group, who)
	if err != nil {
		return nil, err
	}
	var files []engine.File
	for _, f := range []struct {
		path          string
		image, merged []byte
	}{{"/etc/passwd", a.passwd, passwd}, {"/etc/group", a.group, group}} {
		if !bytes.Equal(f.image, f.merged) {
			files = append(files, engine.File{Path: f.path, Mode: 0o644, Data: f.merged})
		}
	}
	if makeHome && who.UID != 0 && a.homeIsFree(who) {
		files = append(files, engine.File{Path: who.Home, Mode: 0o755, UID: who.UID, GID: who.GID, Dir: true})
	}
	return files, nil
}

// homeIsFree tells whether the home may be made, or made over, to who: it is no
// directory of the system and no other user's of the image.
func (a accounts) homeIsFree(who account.Identity) bool {
	home := filepath.Clean(who.Home)
	if home == "/" || !filepath.IsAbs(home) || strings.Count(home, "/") < 2 {
		return false
	}
	for _, e := range account.ParsePasswd(a.passwd) {
		if filepath.Clean(e.Home) == home {
			return e.Name == who.Name
		}
	}
	return true
}
