package broker

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"dockersh/internal/account"
	"dockersh/internal/engine"
	"dockersh/internal/idmap"
	"dockersh/internal/policy"
	"dockersh/internal/usererr"
)

// places says what of the host goes into a new container. An engine that gives
// its containers other numbers for their users gets a home that is mapped.
func (c *cold) places(ctx context.Context, who account.Identity) (policy.Places, error) {
	at := policy.Places{Helpers: c.Helpers, Run: c.dir.In()}
	if !c.plan.Settings.MountHome || !c.plan.Engine().Local() {
		return at, nil // nothing of this host goes elsewhere
	}
	remap, err := c.engine.Remap(ctx)
	if err != nil || !remap.On {
		return at, err
	}
	groups, err := c.Users.Groups(ctx, c.plan.User)
	if err != nil {
		return at, userUnknown(err)
	}
	at.Home, at.Owners = c.dir.Home(), c.plan.Home(who, groups)
	// The engine wants to see the place already when it makes the container.
	return at, os.MkdirAll(at.Home, 0o755)
}

// unfit looks, when a container could not be made, whether the engine's user
// namespace is too small for who: a directory service gives large numbers, and the
// engine's own error does not tell.
func (c *cold) unfit(ctx context.Context, who account.Identity, err error) error {
	if remap, none := c.engine.Remap(ctx); none == nil && remap.On {
		if small := fits(remap, who); small != nil {
			return small
		}
	}
	return err
}

// fits refuses numbers that the engine's user namespace does not have.
func fits(remap engine.Remap, who account.Identity) error {
	if remap.UIDs > 0 && who.UID >= remap.UIDs {
		return noNumber("user", who.UID)
	}
	for _, g := range append([]account.Group{{GID: who.GID}}, who.Groups...) {
		if remap.GIDs > 0 && g.GID >= remap.GIDs {
			return noNumber("group", g.GID)
		}
	}
	return nil
}

func noNumber(kind string, id uint32) error {
	return usererr.New(usererr.Container, "the container's user namespace has no "+kind+" "+strconv.FormatUint(uint64(id), 10),
		"ask the administrator: the range of the engine's userns-remap in /etc/subuid and /etc/subgid is too small", nil)
}

// mapped is a home as it was mounted; empty when there is none of mapped owners.
type mapped struct {
	home          policy.Home
	users, groups idmap.Ranges
}

// startWithHome starts a container. A home of mapped owners is mounted for the
// moment of the start: the engine makes a mount of its own from it. So none is
// left over, whatever becomes of the container, and none is missed after a reboot.
// The directory goes too: a container that is started by hand does not find it,
// and does not come up with an empty home.
func (c *cold) startWithHome(ctx context.Context, found *engine.Container) (made mapped, err error) {
	if made.home, err = policy.ParseHome(found.Labels[engine.LabelHome]); err != nil {
		return made, err
	}
	if made.home.From == "" {
		return made, c.engine.Start(ctx, found.ID)
	}
	remap, err := c.engine.Remap(ctx)
	if err != nil {
		return made, err
	}
	if err := mountable(made.home.From); err != nil {
		return made, err
	}
	at := c.dir.Home()
	unmount := func() error { return errors.Join(idmap.Unmount(at), removeDir(at)) }
	if err := unmount(); err != nil { // of a broker that was killed
		return made, err
	}
	if err := os.Mkdir(at, 0o755); err != nil {
		return made, err
	}
	made.users, made.groups = owners(made.home, told(remap, found))
	if err = idmap.Mount(made.home.From, at, made.users, made.groups); err == nil {
		err = c.engine.Start(ctx, found.ID)
	}
	if left := unmount(); left != nil {
		c.Log.Error("cannot unmount a home", "container", c.plan.Container, "place", at, "cause", left)
	}
	if errors.Is(err, idmap.ErrCannot) {
		return made, usererr.New(usererr.Container, "the home "+made.home.From+" cannot be mounted in a container with user numbers of its own",
			"ask the administrator: it takes Linux 5.12 or newer, and a file system with idmapped mounts, or an engine without userns-remap", err)
	}
	return made, err
}

func removeDir(dir string) error {
	if err := unix.Rmdir(dir); err != nil && err != unix.ENOENT {
		return &os.PathError{Op: "rmdir", Path: dir, Err: err}
	}
	return nil
}

// told is the map as the engine tells it before the container runs.
func told(remap engine.Remap, found *engine.Container) idmap.Map {
	if !remap.On || found.HostUsers {
		remap = engine.Remap{}
	}
	whole := func(first uint32) idmap.Ranges { return idmap.Ranges{{Outside: first, Count: 1<<32 - 1 - first}} }
	return idmap.Map{Users: whole(remap.UID), Groups: whole(remap.GID)}
}

// owners gives for each owner on disk the number on the host of who has his files
// inside. Without such a number he is left out.
func owners(home policy.Home, m idmap.Map) (users, groups idmap.Ranges) {
	through := func(pairs []policy.Pair, r idmap.Ranges) (out idmap.Ranges) {
		for _, p := range pairs {
			if host, ok := r.Out(p.Inside); ok {
				out = append(out, idmap.Range{Inside: p.Disk, Outside: host, Count: 1})
			}
		}
		return out
	}
	return through(home.Users, m.Users), through(home.Groups, m.Groups)
}

// usersOf gives the user namespace of a running container: from the kernel, which
// knows it even if the engine was told to give this one container another.
func (c *cold) usersOf(ctx context.Context, found *engine.Container) (idmap.Map, error) {
	m, err := idmap.Of(found.Pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		err = errors.Join(c.alive(ctx), err) // it ended this moment: rather that
	}
	if errors.Is(err, idmap.ErrNested) {
		err = usererr.New(usererr.Container, "the container's user numbers are not of the service's making",
			"ask the administrator: a rootless engine takes a broker that runs as its own user", err)
	}
	return m, err
}

// uidIn gives the uid on the host of a user of the container.
func uidIn(m idmap.Map, who account.Identity) (uint32, error) {
	uid, ok := m.Users.Out(who.UID)
	if !ok {
		return 0, noNumber("user", who.UID)
	}
	return uid, nil
}

// rightHome refuses a container, just started, in which the mounted home is not
// its user's.
func (c *cold) rightHome(uid uint32, m idmap.Map, made mapped) error {
	switch {
	case made.home.From != "":
		users, groups := owners(made.home, m)
		if slices.Equal(users, made.users) && slices.Equal(groups, made.groups) {
			return nil
		}
	case m.Same, !c.plan.Settings.MountHome, uid == c.plan.User.UID:
		return nil
	}
	return usererr.New(usererr.Container, "the container's user numbers are not those that its home was mounted for",
		"ask the administrator: the options of dockeropt, or of the engine's userns-remap, do not fit mounthome", nil)
}
