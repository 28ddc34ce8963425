package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/dockersh/dockersh/internal/host/passwd"
)

// getentPath is the program that asks every name service of the host, as the C library
// would, in a process that can be killed if a directory server does not answer.
const getentPath = "/usr/bin/getent"

const (
	getentLimit = 5 * time.Second
	// maxRecord is for one user, maxGroups for many groups, in bytes: a group's entry has
	// all its members, which in a directory can be a hundred thousand.
	maxRecord = 64 << 10
	maxGroups = 16 << 20
)

// errNoKey means that getent did not find (all of) what it was asked for.
var errNoKey = errors.New("not found")

var errNoRoom = errors.New("too much output")

// getent runs getent(1). It returns the output with errNoKey too; any other error is
// ErrUnavailable.
func (d *DB) getent(ctx context.Context, most int, database string, keys ...string) (string, error) {
	return d.runGetent(ctx, most, database, append([]string{database, "--"}, keys...)...)
}

// runGetent is getent with all arguments.
func (d *DB) runGetent(ctx context.Context, most int, database string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, getentLimit)
	defer cancel()
	out, words := limited{most: most, hard: true}, limited{most: 1 << 10}
	cmd := exec.CommandContext(ctx, d.getentPath, args...)
	cmd.Dir = "/"
	cmd.Env = []string{}
	cmd.Stdout, cmd.Stderr = &out, &words
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no signal of a terminal reaches it
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("%w: getent %s: %w", ErrUnavailable, database, ctx.Err())
	case out.over:
		return "", fmt.Errorf("%w: getent %s writes more than %d bytes", ErrUnavailable, database, most)
	case errors.As(err, &exit) && exit.ExitCode() == 2:
		return out.buf.String(), errNoKey
	case err != nil:
		return "", fmt.Errorf("%w: getent %s: %w: %s", ErrUnavailable, database, err,
			strings.Join(strings.Fields(words.buf.String()), " "))
	}
	return out.buf.String(), nil
}

// limited keeps the first bytes that are written to it. With hard, further bytes are an
// error, which ends the program that writes them.
type limited struct {
	buf  bytes.Buffer
	most int
	hard bool
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	room := l.most - l.buf.Len()
	l.over = l.over || len(p) > room
	l.buf.Write(p[:min(len(p), room)])
	if l.over && l.hard {
		return 0, errNoRoom
	}
	return len(p), nil
}

// user looks up one user by name or number.
func (d *DB) user(ctx context.Context, key string) (User, error) {
	out, err := d.getent(ctx, maxRecord, "passwd", key)
	if errors.Is(err, errNoKey) {
		return User{}, fmt.Errorf("%w: %s", ErrUnknown, key)
	}
	if err != nil {
		return User{}, err
	}
	u, ok := passwd.ParseUser(strings.TrimSuffix(out, "\n"))
	if !ok {
		return User{}, fmt.Errorf("%w: the entry of user %s is not a line of passwd(5)", ErrUnavailable, key)
	}
	return u, nil
}

// initgroups looks up the numbers of a user's groups (initgroups(3)).
func (d *DB) initgroups(ctx context.Context, name string) ([]uint32, error) {
	out, err := d.getent(ctx, maxGroups, "initgroups", name)
	if err != nil && !errors.Is(err, errNoKey) {
		return nil, err
	}
	gids, ok := parseInitgroups(out, name)
	if !ok {
		return nil, fmt.Errorf("%w: getent initgroups %s does not print a list of numbers", ErrUnavailable, name)
	}
	return gids, nil
}

// groups looks up all groups of a user, the primary one first. A group that no name
// service knows has no name.
func (d *DB) groups(ctx context.Context, u User) ([]Group, error) {
	more, err := d.initgroups(ctx, u.Name)
	if err != nil {
		return nil, err
	}
	groups := []Group{{GID: u.GID}}
	seen := map[uint32]bool{u.GID: true}
	for _, gid := range more {
		if !seen[gid] {
			seen[gid] = true
			groups = append(groups, Group{GID: gid})
		}
	}
	return groups, d.nameGroups(ctx, groups)
}

// atOnce is how many groups one getent is asked for: far below the limit on the length of
// arguments.
const atOnce = 500

// nameGroups fills in the names. A group whose entry cannot be parsed stays without one.
func (d *DB) nameGroups(ctx context.Context, groups []Group) error {
	for start := 0; start < len(groups); start += atOnce {
		part := groups[start:min(start+atOnce, len(groups))]
		keys := make([]string, len(part))
		for i, g := range part {
			keys[i] = passwd.FormatID(g.GID)
		}
		out, err := d.getent(ctx, maxGroups, "group", keys...)
		if err != nil && !errors.Is(err, errNoKey) {
			return err
		}
		names := map[uint32]string{}
		for _, g := range passwd.Groups([]byte(out)) {
			// The first, since a group whose name is a number may be found by that number.
			if names[g.GID] == "" {
				names[g.GID] = g.Name
			}
		}
		for i := range part {
			part[i].Name = names[part[i].GID]
		}
	}
	return nil
}

// parseInitgroups reads the line of `getent initgroups NAME`: the name, then numbers,
// separated by white space; nothing at all if there is no such user.
func parseInitgroups(out, name string) ([]uint32, bool) {
	if out == "" {
		return nil, true
	}
	rest, ok := strings.CutPrefix(out, name)
	if !ok || strings.Contains(strings.TrimSuffix(out, "\n"), "\n") || rest != "" && rest[0] != ' ' && rest[0] != '\n' {
		return nil, false
	}
	var gids []uint32
	for _, f := range strings.Fields(rest) {
		gid, ok := passwd.ParseID(f)
		if !ok {
			return nil, false
		}
		gids = append(gids, gid)
	}
	return gids, true
}
