package account

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"

	"github.com/dockersh/dockersh/internal/host/passwd"
)

// All returns every user that the name services list. A directory may list none of its
// users and still know each by name. The error is ErrUnavailable, or the context's.
func (d *DB) All(ctx context.Context) ([]User, error) {
	out, err := d.getent(ctx, maxGroups, "passwd")
	if err != nil && !errors.Is(err, errNoKey) {
		return nil, err
	}
	return passwd.Users([]byte(out)), nil
}

// knownAtOnce is for how many names one getent is started.
const knownAtOnce = 200

// Known returns those users among names that the name services know, by name. all reports
// whether the others are unknown: getent leaves out those of a service that is down. The
// error is ErrUnavailable, or the context's.
func (d *DB) Known(ctx context.Context, names []string) (known map[string]User, all bool, err error) {
	known = map[string]User{}
	want := map[string]bool{}
	for _, name := range names {
		if isName(name) {
			want[name] = true
		}
	}
	d.local(func(u User) bool {
		if _, again := known[u.Name]; want[u.Name] && !again {
			known[u.Name] = u
		}
		return len(known) == len(want)
	})
	isKnown := func(name string) bool { _, ok := known[name]; return ok }
	ask := slices.DeleteFunc(slices.Sorted(maps.Keys(want)), isKnown)
	for some := range slices.Chunk(ask, knownAtOnce) {
		out, err := d.getent(ctx, maxGroups, "passwd", some...)
		if err != nil && !errors.Is(err, errNoKey) {
			return nil, false, err
		}
		for _, u := range passwd.Users([]byte(out)) {
			known[u.Name] = u
		}
	}
	if len(slices.DeleteFunc(ask, isKnown)) == 0 {
		return known, true, nil
	}
	order, _ := os.ReadFile(d.switchPath) // without it there is no other service
	words, _ := switchLine(string(order), "passwd")
	for _, service := range directories(words) {
		if answers, err := d.answers(ctx, "passwd", d.passwdPath, service); !answers || err != nil {
			return known, false, err
		}
	}
	return known, true, nil
}

// Members returns the names that a group's entry lists, and those of users whose primary
// group it is. An unknown group has none. The error is ErrUnavailable, or the context's.
func (d *DB) Members(ctx context.Context, group string, users []User) ([]string, error) {
	if group == "" || passwd.HasControl(group) {
		return nil, nil
	}
	out, err := d.getent(ctx, maxGroups, "group", group)
	if errors.Is(err, errNoKey) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for g, members := range passwd.Members([]byte(out)) {
		if g.Name != group {
			continue
		}
		names = append(names, members...)
		for _, u := range users {
			if u.GID == g.GID && !slices.Contains(names, u.Name) {
				names = append(names, u.Name)
			}
		}
	}
	return names, nil
}
