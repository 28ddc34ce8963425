package account

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Errors of every look-up.
var (
	ErrUnknown     = errors.New("account: no such user or group")
	ErrUnavailable = errors.New("account: the name service does not answer")
)

const (
	// getentPath asks whatever /etc/nsswitch.conf names, in a process that can be
	// killed when a directory server hangs, and that cannot hurt ours.
	getentPath   = "/usr/bin/getent"
	lookupLimit  = 5 * time.Second
	maxOutput    = 4 << 20 // bytes; a group may have very many members
	notFoundExit = 2       // getent(1)
)

// getent gives the lines of an answer.
func getent(ctx context.Context, database string, keys ...string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, getentPath, append([]string{"--", database}, keys...)...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second
	var out capped
	cmd.Stdout = &out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, errors.Join(ErrUnavailable, ctx.Err())
	case errors.As(err, &exit) && exit.ExitCode() == notFoundExit:
		// With several keys, some may have been found.
	case err != nil:
		return nil, errors.Join(ErrUnavailable, err)
	}
	var lines []string
	for l := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimSuffix(l, "\n"))
	}
	if len(lines) == 0 {
		return nil, ErrUnknown
	}
	return lines, nil
}

// capped keeps the first maxOutput bytes.
type capped struct{ bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	if c.Len()+len(p) > maxOutput {
		return 0, errors.New("account: the answer is too long")
	}
	return c.Buffer.Write(p)
}

func lookupUID(ctx context.Context, uid uint32) (User, error) {
	lines, err := getent(ctx, "passwd", number(uid))
	if err != nil {
		return User{}, err
	}
	// A user may be called "1000" and have another number: getent takes digits
	// for a number, but a name service need not.
	if u, ok := parseUser(lines[0]); ok && u.UID == uid {
		return u, nil
	}
	return User{}, ErrUnknown
}

func lookupName(ctx context.Context, name string) (User, error) {
	if name == "" || strings.ContainsAny(name, ":\n\x00") {
		return User{}, ErrUnknown
	}
	lines, err := getent(ctx, "passwd", name)
	if err != nil {
		return User{}, err
	}
	if u, ok := parseUser(lines[0]); ok && u.Name == name {
		return u, nil
	}
	return User{}, ErrUnknown
}

// lookupGroups gives all groups of a user, the primary one first. A number
// without a name is its own name.
func lookupGroups(ctx context.Context, u User) ([]Group, error) {
	numbers := []string{number(u.GID)}
	lines, err := getent(ctx, "initgroups", u.Name)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return nil, err
	}
	if err == nil {
		// "NAME   GID GID ...": the name may have blanks in it.
		rest, ok := strings.CutPrefix(lines[0], u.Name)
		if !ok {
			return nil, ErrUnavailable
		}
		for _, n := range strings.Fields(rest) {
			if gid, err := strconv.ParseUint(n, 10, 32); err == nil && uint32(gid) != u.GID {
				numbers = append(numbers, number(uint32(gid)))
			}
		}
	}
	names := map[uint32]string{}
	lines, err = getent(ctx, "group", numbers...)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return nil, err
	}
	for _, l := range lines {
		if g, _, ok := parseGroup(l); ok {
			names[g.GID] = g.Name
		}
	}
	var all []Group
	for _, n := range numbers {
		gid, err := strconv.ParseUint(n, 10, 32)
		if err != nil {
			return nil, err
		}
		g := Group{Name: names[uint32(gid)], GID: uint32(gid)}
		if g.Name == "" {
			g.Name = n
		}
		all = append(all, g)
	}
	return all, nil
}
