package account

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/dockersh/dockersh/internal/host/passwd"
)

// NoGroupError reports groups that no name service finds. If one service is down and
// another one answers, its groups are among them.
type NoGroupError struct{ Names []string }

func (e *NoGroupError) Error() string {
	return fmt.Sprintf("no name service finds the group %q", e.Names[0])
}

// servicesHere are the services that answered to this process.
type servicesHere struct {
	sync.Mutex
	services map[string]bool
}

// groupEntry is a group with the members that its entry lists.
type groupEntry struct {
	gid     uint32
	members map[string]bool
}

// MemberOf returns those of the groups that u is in: the entry of the group lists u, or
// the group is u's primary one, or among u's groups for initgroups(3). An answer that may
// be incomplete is an error: a *NoGroupError, ErrUnavailable, or the context's.
//
// The C library goes on without a service that is down, and getent(1) does not report it.
// So every group must be found, and a service that ever answered must answer. A service
// that never did may not be in use.
func (d *DB) MemberOf(ctx context.Context, u User, groups []string) ([]string, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	if u.Name == "" || passwd.HasControl(u.Name) {
		return nil, fmt.Errorf("%w: %q", ErrUnknown, u.Name)
	}
	d.refresh()
	entries, err := d.groupsByName.get(ctx, strings.Join(groups, "\n"), func(ctx context.Context) (map[string]groupEntry, error) {
		return d.findGroups(ctx, groups)
	})
	if err != nil {
		return nil, err
	}
	var in []string
	for _, name := range groups {
		if e := entries[name]; e.gid == u.GID || e.members[u.Name] {
			in = append(in, name)
		}
	}
	if len(in) == len(groups) {
		return in, nil
	}
	gids, err := d.gidsOfUser.get(ctx, u.Name, func(ctx context.Context) ([]uint32, error) { return d.allNumbers(ctx, u) })
	if err != nil {
		return nil, err
	}
	in = in[:0]
	for _, name := range groups {
		if e := entries[name]; e.gid == u.GID || e.members[u.Name] || slices.Contains(gids, e.gid) {
			in = append(in, name)
		}
	}
	return in, nil
}

// FindGroups returns a *NoGroupError with those of the groups that no name service finds;
// or ErrUnavailable, or the context's error.
func (d *DB) FindGroups(ctx context.Context, groups []string) error {
	_, err := d.findGroups(ctx, groups)
	return err
}

// findGroups looks up groups by name. It asks getent(1) once for all that the host's own
// file does not have.
func (d *DB) findGroups(ctx context.Context, names []string) (map[string]groupEntry, error) {
	all := map[string]groupEntry{}
	if order, err := os.ReadFile(d.switchPath); err == nil && filesFirst(string(order), "group") {
		if text, err := os.ReadFile(d.groupPath); err == nil {
			addEntries(all, string(text), names)
		}
	}
	missing := func() (out []string) {
		for _, name := range names {
			if _, ok := all[name]; !ok && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
		return out
	}
	for part := range slices.Chunk(missing(), atOnce) {
		keys := slices.DeleteFunc(part, func(name string) bool { return name == "" || passwd.HasControl(name) })
		if len(keys) == 0 {
			continue
		}
		out, err := d.getent(ctx, maxGroups, "group", keys...)
		if err != nil && !errors.Is(err, errNoKey) {
			return nil, err
		}
		addEntries(all, out, keys)
	}
	if lost := missing(); len(lost) > 0 {
		return nil, &NoGroupError{lost}
	}
	return all, nil
}

// addEntries adds the entries of a group file that have one of the names. The first of a
// name counts.
func addEntries(all map[string]groupEntry, text string, names []string) {
	for g, members := range passwd.Members([]byte(text)) {
		if g.Name[0] == '+' || g.Name[0] == '-' || !slices.Contains(names, g.Name) {
			continue
		}
		if _, ok := all[g.Name]; ok {
			continue
		}
		e := groupEntry{g.GID, map[string]bool{}}
		for _, m := range members {
			e.members[m] = true
		}
		all[g.Name] = e
	}
}

// allNumbers returns the numbers that initgroups(3) finds for a user, once every service
// that can add to them has answered.
func (d *DB) allNumbers(ctx context.Context, u User) ([]uint32, error) {
	gids, err := d.initgroups(ctx, u.Name)
	if err != nil {
		return nil, err
	}
	_, services := d.groupServices()
	for _, service := range directories(services) {
		answers, err := d.answers(ctx, "group", d.groupPath, service)
		if err != nil {
			return nil, err
		}
		if !answers && d.answeredBefore(service) {
			return nil, fmt.Errorf("%w: the service %s of %s answered before, and does not now", ErrUnavailable, service, d.switchPath)
		}
		if answers {
			d.rememberAnswered(service)
		}
	}
	return gids, nil
}

// SilentService is a service of nsswitch.conf(5) that does not answer.
type SilentService struct {
	Name     string
	Answered bool   // before
	Line     string // the line of nsswitch.conf(5), without the service
}

// Silent returns the services that can put users into groups and do not answer at present.
// The error is ErrUnavailable, or the context's.
func (d *DB) Silent(ctx context.Context) (silent []SilentService, err error) {
	database, words := d.groupServices()
	for _, service := range directories(words) {
		answers, err := d.answers(ctx, "group", d.groupPath, service)
		if err != nil {
			return nil, err
		}
		if !answers {
			line := database + ": " + strings.Join(withoutService(words, service), " ")
			silent = append(silent, SilentService{service, d.answeredBefore(service), line})
		}
	}
	return silent, nil
}

// groupServices returns the words of the line of nsswitch.conf(5) that initgroups(3) reads,
// and its name.
func (d *DB) groupServices() (database string, words []string) {
	order, _ := os.ReadFile(d.switchPath) // without it there is no other service
	for _, database = range []string{"initgroups", "group"} {
		if words, ok := switchLine(string(order), database); ok {
			return database, words
		}
	}
	return database, nil
}

// directories returns those services of a line of nsswitch.conf(5) that can be down.
func directories(words []string) []string {
	var out []string
	for _, w := range words {
		switch w {
		case "files", "compat", "db", "systemd": // they ask this host alone
		default:
			if w[0] != '[' && !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return out
}

// answers reports whether a service answers for a database, whose own file of the host is
// at path: getent(1) finds an entry of that file behind a service that has or does not have
// it, and does not behind one that is down.
func (d *DB) answers(ctx context.Context, database, path, service string) (bool, error) {
	text, _ := os.ReadFile(path) // a file that cannot be read has no name to ask for
	name := firstName(string(text))
	if name == "" {
		return true, nil
	}
	order := database + ":" + service + " [SUCCESS=continue NOTFOUND=continue UNAVAIL=return TRYAGAIN=return] files"
	_, err := d.runGetent(ctx, maxGroups, database, "-s", order, database, "--", name)
	if errors.Is(err, errNoKey) {
		return false, nil
	}
	return err == nil, err
}

// firstName returns the first name in a file of passwd(5) or group(5).
func firstName(text string) string {
	for line := range strings.Lines(text) {
		if name, rest, ok := strings.Cut(line, ":"); ok && strings.Contains(rest, ":") && isName(name) && name[0] != '+' &&
			name[0] != '-' && name[0] != '#' {
			return name
		}
	}
	return ""
}

func (d *DB) answeredBefore(service string) bool {
	d.servicesHere.Lock()
	defer d.servicesHere.Unlock()
	return d.servicesHere.services[service] || d.KnownServices != nil && d.KnownServices.Has(service)
}

func (d *DB) rememberAnswered(service string) {
	d.servicesHere.Lock()
	defer d.servicesHere.Unlock()
	if d.servicesHere.services[service] {
		return
	}
	if d.servicesHere.services == nil {
		d.servicesHere.services = map[string]bool{}
	}
	d.servicesHere.services[service] = true
	if d.KnownServices != nil {
		_ = d.KnownServices.Add(service) // this process knows it all the same
	}
}
