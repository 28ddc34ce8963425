package broker

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/life"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// What happens when the settings, or the image behind the tag, are not those any
// more that a container was made with (onchange).

// mayRenew tells whether a login must look whether its container is to be made
// anew, and so cannot be a warm one: the administrator wants it, and nobody else is
// in.
func (b *Broker) mayRenew(plan *policy.Plan) bool {
	if plan.Settings.OnChange != "recreate" {
		return false
	}
	live, _ := b.sessions.In(plan.Container)
	return live <= 1 // that is us
}

// renew removes a container that is not as the administrator wants it by now, if
// nobody is in it. The lock is held, and this login still waits.
func (c *cold) renew(ctx context.Context) error {
	if c.plan.Settings.OnChange != "recreate" || c.inUse() {
		return nil
	}
	found, err := c.engine.Find(ctx, c.plan.Container)
	if err != nil {
		// There is none; or the engine is down, and what runs, runs. Who needs the
		// engine hears of it.
		return nil
	}
	owner, ours := policy.OwnerOf(found.Labels)
	if !ours || c.plan.MayEnter(owner) != nil || found.State == engine.Paused {
		return nil // which a login must not undo
	}
	what := c.changed(ctx, found, owner)
	if what == "" {
		return nil
	}
	alone, err := life.Alone(c.dir, c.inUse, func() error {
		c.show("making the container anew")
		return life.Remove(ctx, c.engine, found)
	})
	if !alone || err != nil {
		return err
	}
	c.Log.Info("container removed", "container", c.plan.Container, "id", found.ID, "why", "recreate: changed "+what)
	return c.dir.Clear()
}

// inUse tells whether there is a session in the container; logins that wait for it
// are none.
func (c *cold) inUse() bool {
	live, _ := c.sessions.In(c.plan.Container)
	return live > 0
}

// changed says what of a container is not as the administrator wants it by now. It
// is compared with what a login of the very user would give who made it: another
// user's settings may always have been others.
func (c *cold) changed(ctx context.Context, found *engine.Container, owner policy.Owner) string {
	admins := c.plan.Admins
	if owner.UID != c.plan.User.UID {
		admins = c.adminsOf(ctx, owner.UID)
	}
	was := found.Labels[engine.LabelAdmins]
	if was != "" && admins != nil && admins.Hash() != was {
		return "settings"
	}
	if id, err := c.engine.ImageID(ctx, found.Image); err == nil && id != found.ImageID {
		return "image"
	}
	return ""
}

// adminsOf gives the administrator's settings for a user; nil if they cannot be
// known.
func (b *Broker) adminsOf(ctx context.Context, uid uint32) *config.Settings {
	u, err := b.Users.ByUID(ctx, uid)
	if err != nil {
		return nil
	}
	file, err := b.settings.Load()
	if err != nil {
		return nil
	}
	s, err := settings.For(file, settings.Login{ // address, key and session are no part of a hash
		User:     u,
		MemberOf: func(group string) (bool, error) { return b.Users.MemberOf(ctx, u, group) },
	})
	if err != nil {
		return nil
	}
	return s.Admins
}

// tellChange adds a line to what an interactive login is shown, if its container
// is not what the user's login would make today. It asks no engine.
func (b *Broker) tellChange(plan *policy.Plan, req *wire.Login) {
	if !req.Terminal || req.Command {
		return
	}
	made, err := rundir.Of(b.Run, plan.Container).Made()
	if err != nil || made.UID != plan.User.UID {
		return // another made it, and hears of his own settings
	}
	what := ""
	switch other, older := made.Settings != plan.Settings.Hash(), b.tags.newer(b, plan.Engine(), made); {
	case other && older:
		what = "with other settings, from an older image"
	case other:
		what = "with other settings"
	case older:
		what = "from an older image"
	default:
		return
	}
	plan.Notice = append(slices.Clip(plan.Notice), "dockersh: this container was made "+what+", and stays so until the administrator resets it")
}

// tagAge is how old an answer may be to the question which image is behind a tag.
const tagAge = 5 * time.Minute

// tags remembers which image is behind a tag. It is asked in the background: a
// login takes the answer of an earlier one.
type tags struct {
	mu  sync.Mutex
	all map[tag]*tagged
}

type tag struct {
	at  engine.Address
	ref string
}

type tagged struct {
	id    string // empty: not known
	asked time.Time
}

// newer tells whether another image than that of the container is behind the tag,
// as far as it is known, and sees to it that it is known better.
func (t *tags) newer(b *Broker, at engine.Address, made rundir.Made) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := tag{at, made.Image}
	known := t.all[key]
	if known == nil {
		if t.all == nil {
			t.all = map[tag]*tagged{}
		}
		known = &tagged{}
		t.all[key] = known
	}
	if time.Since(known.asked) > tagAge {
		known.asked = time.Now()
		go t.ask(b, key)
	}
	return known.id != "" && known.id != made.ImageID
}

func (t *tags) ask(b *Broker, key tag) {
	ctx, cancel := context.WithTimeout(b.stop, firstWord)
	defer cancel()
	id := ""
	if e, err := b.engines.get(key.at); err == nil {
		id, _ = e.ImageID(ctx, key.ref) // not to know is no news
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all[key].id = id
}
