package images

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// probeRemoveLimit is how long the removal of a probe may take.
const probeRemoveLimit = 2 * time.Minute

// RemoveProbe removes a probe that a killed broker left, and waits for one that is in
// use; ok is false if the container is not a probe.
func (i *Images) RemoveProbe(ctx context.Context, e engine.Engine, c *engine.Container) (ok bool, err error) {
	if !i.isProbe(c) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeRemoveLimit)
	defer cancel()
	unlock, err := i.kept.lock(ctx, c.ImageID)
	if err != nil {
		return true, err
	}
	defer unlock()
	if err := e.Remove(ctx, c.ID); !errors.Is(err, engine.ErrNotFound) {
		return true, err
	}
	return true, nil
}

const probePrefix = "dockersh-probe-"

// probeName names the probe of an image. Brokers of the same uid keep the same directory
// of images, whose lock keeps them out of each other's way. In a cluster each login host has its own.
func (i *Images) probeName(imageID string) (string, error) {
	hash := hashOf(imageID)
	if isName(imageID) {
		host, err := i.run.Host()
		if err != nil {
			return "", err
		}
		hash = hashOf(host + " " + imageID)
	}
	return probePrefix + strconv.Itoa(os.Geteuid()) + "-" + hash[:min(len(hash), 32)], nil
}

// isProbe reports whether a container is a probe of this host, or one in a cluster that has ended: its
// host may be gone.
func (i *Images) isProbe(c *engine.Container) bool {
	if c.Labels[engine.LabelIdentity] != policy.Probe {
		return false
	}
	name, err := i.probeName(c.ImageID)
	return err == nil && c.Name == name || c.State == engine.Exited && strings.HasPrefix(c.Name, probePrefix)
}

// WithProbe makes a container of an image in which nothing is mounted, never starts it,
// calls use with its id, and removes it.
func (i *Images) WithProbe(ctx context.Context, e engine.Engine, imageID string, use func(probe string) error) error {
	release, err := i.queue.Lock(ctx, imageID)
	if err != nil {
		return err
	}
	defer release()
	unlock, err := i.kept.lock(ctx, imageID)
	if err != nil {
		return err
	}
	defer unlock()
	return i.withProbe(ctx, e, imageID, use)
}

// withProbe is WithProbe with the lock held.
func (i *Images) withProbe(ctx context.Context, e engine.Engine, imageID string, use func(probe string) error) error {
	name, err := i.probeName(imageID)
	if err != nil {
		return err
	}
	spec := engine.Spec{
		Name: name, Image: imageID, Network: "none", Entrypoint: "/nonexistent", QuietLog: true, OnlyRead: true,
		Labels: policy.Owner{Identity: policy.Probe}.Labels(),
	}
	made, err := e.Create(ctx, spec)
	if errors.Is(err, engine.ErrNameTaken) { // left by a killed broker
		var old *engine.Container
		if old, err = e.Find(ctx, spec.Name); err == nil && i.isProbe(old) {
			err = e.Remove(ctx, old.ID)
		}
		if err == nil || errors.Is(err, engine.ErrNotFound) {
			made, err = e.Create(ctx, spec)
		}
	}
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_ = e.Remove(ctx, made.ID) // at worst it stays until the next probe, and is never started
	}()
	return use(made.ID)
}

// accountsIn reads the accounts of an image in a probe of it.
func accountsIn(ctx context.Context, e engine.Engine, imageID, probe string) (a Accounts, err error) {
	for _, f := range []struct {
		name string
		to   *[]byte
	}{{"/etc/passwd", &a.Passwd}, {"/etc/group", &a.Group}, {"/etc/shadow", &a.Shadowed}} {
		if *f.to, err = e.ReadFile(ctx, probe, f.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return a, err
		}
	}
	a.Shadowed = passwd.ShadowNames(a.Shadowed)
	image, err := e.Image(ctx, imageID)
	if err != nil {
		return a, err
	}
	if image.Path != "" && image.Path != usualPath && forgetsPath(ctx, e, probe) {
		a.Path = []byte(image.Path)
	}
	return a, nil
}

// usualPath is the PATH that most images have; their /etc/profile is made for it.
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// forgetsPath reports whether login shells in a container may lose its PATH, and read a
// file that can give it back.
func forgetsPath(ctx context.Context, e engine.Engine, id string) bool {
	profile, err := e.ReadFile(ctx, id, "/etc/profile")
	if err != nil || !strings.Contains(string(profile), path.Dir(engine.LoginPath)) {
		return false
	}
	_, err = e.ReadFile(ctx, id, engine.LoginPath)
	return errors.Is(err, fs.ErrNotExist)
}
