package launch

import (
	"context"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// Follower is a container that takes the place of another one, with what is in that.
type Follower struct {
	t *Target
	p prepared
}

// PrepareFollower finds out how a container would be made that takes the place of another one.
// lifecycle.Kept says why it cannot. The engine learns nothing of it yet.
func (t *Target) PrepareFollower(ctx context.Context, old *engine.Container) (*Follower, error) {
	name, imageID := old.Base()
	owner, _ := policy.OwnerOf(old.Labels)
	_, ephemeral := policy.Ephemeral(old.Labels)
	s := t.plan.Settings
	switch {
	case name != s.ImageName:
		return nil, lifecycle.Kept("the settings name another image")
	case policy.HasForeignImage(old.Labels) != t.plan.ForeignImage():
		return nil, lifecycle.Kept("somebody else names its image now")
	case owner != t.plan.Owner:
		return nil, lifecycle.Kept("its name stands for somebody else now")
	case ephemeral:
		return nil, lifecycle.Kept("it is ephemeral")
	case old.Labels[engine.LabelAgent] == "" || s.Entrypoint != config.Internal:
		return nil, lifecycle.Kept("its process 1 is not dockersh's own") // and may be what the image says of it
	}
	if option := policy.KeepingOption(s); option != "" {
		return nil, lifecycle.Kept("dockeropt has " + option)
	}
	if err := t.checkSources(ctx, nil); err != nil {
		return nil, err
	}
	accounts, foreign, err := t.users().accountsOf(ctx, old)
	if err != nil {
		return nil, err
	}
	p, err := t.prepareWith(ctx, imageID, accounts, foreign)
	if err != nil {
		return nil, err
	}
	p.files = loginPath(string(accounts.Path), s.Env)
	p.spec.Labels[engine.LabelFrom] = old.ID
	p.spec.Labels[engine.LabelEphemeral] = "" // it was made to stay
	if err := attachVolumes(&p.spec, old.Mounts); err != nil {
		return nil, err
	}
	if t.plan.ForeignImage() && bringsVolumes(planned(p.spec, old.Mounts), s.Volume) {
		return nil, volumesMeetHost
	}
	return &Follower{t: t, p: p}, nil
}

const volumesMeetHost = lifecycle.Kept("its image has volumes of its own, and directories of the host are to be mounted beside them")

// planned returns what is mounted in a container that takes the place of another one, as far as
// that is known before it is made.
func planned(s engine.Spec, former []engine.Mount) *engine.Container {
	c := &engine.Container{Mounts: slices.Clone(s.Mounts)}
	for _, v := range s.Volumes {
		if f := strings.Split(v, ":"); len(f) > 1 && path.IsAbs(f[0]) {
			c.Mounts = append(c.Mounts, engine.Mount{Source: f[0], Target: f[1]})
		}
	}
	for _, m := range c.Mounts {
		c.Binds = append(c.Binds, m.Source)
	}
	for _, m := range former {
		if m.IsAnonymous() {
			c.Mounts = append(c.Mounts, m)
		}
	}
	return c
}

// attachVolumes attaches the anonymous volumes of the container before.
func attachVolumes(s *engine.Spec, former []engine.Mount) error {
	var names []string
	for _, m := range former {
		isNamed := func(v string) bool { return strings.HasPrefix(v, m.Volume+":") }
		if !m.IsAnonymous() || slices.ContainsFunc(s.Volumes, isNamed) {
			continue
		}
		// The image names the place. In the language of --volume it could name options, too.
		if !path.IsAbs(m.Target) || strings.ContainsAny(m.Target, ":,") || strings.TrimFunc(m.Target, unicode.IsSpace) != m.Target ||
			strings.ContainsFunc(m.Target, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return lifecycle.Kept("the name of the place of one of its volumes has characters that an engine does not take")
		}
		at := path.Clean(m.Target)
		s.Volumes = slices.DeleteFunc(slices.Clone(s.Volumes), func(v string) bool { return path.Clean(v) == at })
		taken := slices.ContainsFunc(s.Mounts, func(m engine.Mount) bool { return path.Clean(m.Target) == at }) ||
			slices.ContainsFunc(s.Volumes, func(v string) bool {
				f := strings.Split(v, ":")
				return len(f) > 1 && path.Clean(f[1]) == at
			})
		if taken {
			return lifecycle.Kept("the settings mount something at " + at + ", where it has a volume of its own")
		}
		v := m.Volume + ":" + m.Target
		if m.ReadOnly {
			v += ":ro"
		}
		s.Volumes, names = append(s.Volumes, v), append(names, m.Volume)
	}
	s.Labels[engine.LabelVolumes] = strings.Join(names, " ")
	return nil
}

// Make makes and starts the container. Nobody is to enter it yet. What is left of it after an
// error is for the caller to remove.
func (f *Follower) Make(ctx context.Context, layer string) (*engine.Container, error) {
	t := f.t
	ctx, cancel := context.WithTimeout(ctx, MakeLimit)
	defer cancel()
	release, err := t.l.acquireSlot(ctx, t.plan.User.UID, t.plan.ForeignImage())
	if err != nil {
		return nil, err
	}
	defer release()
	t.show("making the container with its new settings")
	f.p.spec.Layer = layer
	made, err := t.engine.Create(ctx, f.p.spec)
	if err != nil {
		return nil, err
	}
	if t.plan.ForeignImage() && bringsVolumes(made, t.plan.Settings.Volume) {
		return nil, volumesMeetHost
	}
	follower := *t
	follower.follows, follower.late = true, f.p.files
	if err := follower.start(ctx, made, f.p.user, nil, release); err != nil {
		return nil, explainFailure(ctx, t.engine, f.p.user, err)
	}
	t.l.Log.Info("container made", "container", t.plan.Container, "id", made.ID, "user", t.plan.User.Name,
		"follows", made.Labels[engine.LabelFrom])
	return made, nil
}

// Settle writes what is known of a container that took the place of another one: it may be
// entered.
func (f *Follower) Settle(made *engine.Container) error {
	if err := f.t.WriteState(made); err != nil {
		return err
	}
	return f.t.writeOwner(f.t.plan.Owner)
}

// sudoersOff is what becomes of a file by which a user could become root inside.
const sudoersOff = "# Written by dockersh: the setting sudo is off.\n"

// bringUpToDate writes what the files of the container before, which this one has, lack by the
// settings of today.
func (a *agentStart) bringUpToDate(c *engine.Container) {
	a.addUser(c)
	if a.root == nil {
		return
	}
	rootGID := a.users.Groups.OutOrNobody(0)
	for _, f := range a.t.late {
		if err := a.root.ReplaceFile(f.Path, f.Data, rootGID); err != nil {
			a.t.l.Log.Warn("a file is not written inside", "container", c.Name, "file", f.Path, "cause", err)
		}
	}
	if a.t.plan.Sudo() || a.user.UID == 0 {
		return
	}
	name := sudoersOf(a.user)
	if text, err := a.root.ReadFixed(name); err != nil || text == sudoersOff {
		return // there is none
	}
	if err := a.root.ReplaceFile(name, []byte(sudoersOff), rootGID); err != nil {
		a.t.l.Log.Warn("sudo may still be on inside", "container", c.Name, "file", name, "cause", err)
	}
}
