package account

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/host/seen"
)

// defaultTTL is how long an answer is valid.
const defaultTTL = 10 * time.Second

// lookupLimit is the longest that a lookup of several steps may take, including the wait
// for others.
const lookupLimit = 15 * time.Second

// DB looks up users and groups in the host's name services. A change of the host's own
// files takes effect at once; the answer of a directory server may be as old as New allows.
// It is safe for use by several goroutines; callers that ask for the same share a lookup.
type DB struct {
	// KnownServices has the name services that ever answered; nil: those that answered to this
	// process.
	KnownServices seen.Names

	getentPath   string
	passwdPath   string
	groupPath    string
	switchPath   string
	nslcdPath    string
	files        watchedFiles
	users        cache[User]
	groupsOfUser cache[[]Group]
	groupsByName cache[map[string]groupEntry]
	gidsOfUser   cache[[]uint32]
	servicesHere servicesHere
}

// New returns a DB whose answers are valid for ttl; 0 means ten seconds. Failures are not
// kept: a user who is unknown, or could not be looked up, is looked up again.
func New(ttl time.Duration) *DB {
	if ttl <= 0 {
		ttl = defaultTTL
	}
	busy := make(chan struct{}, maxBusy)
	return &DB{
		getentPath: getentPath, passwdPath: passwdFile, groupPath: groupFile, switchPath: switchFile, nslcdPath: nslcdSocket,
		users: cache[User]{ttl: ttl, busy: busy}, groupsOfUser: cache[[]Group]{ttl: ttl, busy: busy},
		groupsByName: cache[map[string]groupEntry]{ttl: ttl, busy: busy}, gidsOfUser: cache[[]uint32]{ttl: ttl, busy: busy},
	}
}

// ByUID returns the user with that number. The error is ErrUnknown, ErrUnavailable, or the
// context's.
func (d *DB) ByUID(ctx context.Context, uid uint32) (User, error) {
	key := passwd.FormatID(uid)
	if _, ok := passwd.ParseID(key); !ok {
		return User{}, fmt.Errorf("%w: uid %s", ErrUnknown, key)
	}
	d.refresh()
	return d.users.get(ctx, "#"+key, func(ctx context.Context) (User, error) {
		if u, ok := d.local(func(u User) bool { return u.UID == uid }); ok {
			return u, nil
		}
		u, err := d.user(ctx, key)
		if err == nil && u.UID != uid {
			// Perhaps a user whose name is that number.
			return User{}, fmt.Errorf("%w: uid %s: the entry is of uid %d", ErrUnknown, key, u.UID)
		}
		return u, err
	})
}

// ByName returns the user of exactly that name. The error is ErrUnknown, ErrUnavailable, or
// the context's. A name that getent takes for a number ("0", "+0") is unknown.
func (d *DB) ByName(ctx context.Context, name string) (User, error) {
	if !isName(name) {
		return User{}, fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	d.refresh()
	return d.users.get(ctx, name+":", func(ctx context.Context) (User, error) {
		if u, ok := d.local(func(u User) bool { return u.Name == name }); ok {
			return u, nil
		}
		u, err := d.user(ctx, name)
		if err == nil && u.Name != name {
			return User{}, fmt.Errorf("%w: %q: the entry is of %q", ErrUnknown, name, u.Name)
		}
		return u, err
	})
}

// isName reports whether a name can be that of a user.
func isName(name string) bool {
	return name != "" && len(name) <= 256 && !passwd.HasControl(name) && !strings.Contains(name, ":")
}

// Groups returns all groups of u, the primary one first, in a slice of the caller's. The
// error is ErrUnavailable, or the context's.
func (d *DB) Groups(ctx context.Context, u User) ([]Group, error) {
	groups, err := d.groupsOf(ctx, u)
	if err != nil {
		return nil, err
	}
	groups = slices.Clone(groups)
	for i := range groups {
		if groups[i].Name == "" {
			groups[i].Name = passwd.FormatID(groups[i].GID)
		}
	}
	return groups, nil
}

func (d *DB) groupsOf(ctx context.Context, u User) ([]Group, error) {
	if u.Name == "" || passwd.HasControl(u.Name) {
		return nil, fmt.Errorf("%w: %q", ErrUnknown, u.Name)
	}
	d.refresh()
	return d.groupsOfUser.get(ctx, u.Name+":"+passwd.FormatID(u.GID), func(ctx context.Context) ([]Group, error) {
		return d.groups(ctx, u)
	})
}
