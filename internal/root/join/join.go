// Package join puts connections of ssh into the networks of containers: sshd's PAM module
// announces each before sshd serves its user. It keeps an entry for the connection, by which
// the key of a login is sshd's own word, and brings the container up.
package join

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/seen"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/root/bringup"
	"github.com/dockersh/dockersh/internal/root/launch"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// Limit is how long a connection waits for its container. The work goes on after that, for
// the login that follows.
const Limit = 5 * time.Second

// errSlow is returned where the container is not there within Limit.
var errSlow = fmt.Errorf("the container was not there within %v", Limit)

// Config is what a Joiner works with.
type Config struct {
	// Context is that of all work: its end is the end of what goes on after Limit.
	Context  context.Context
	Sessions state.Sessions
	Seen     seen.Names
	Bringup  *bringup.Bringup
	// Groups returns the groups of a user.
	Groups func(context.Context, account.User) ([]account.Group, error)
	// Settings returns the administrator's settings for a login.
	Settings func(context.Context, settings.Login) (*settings.Effective, error)
	// Ended is called when a connection that was to join a container has left it.
	Ended func(container string, plan *policy.Session)
}

// Joiner joins connections.
type Joiner struct{ Config }

// New returns a Joiner.
func New(c Config) *Joiner { return &Joiner{c} }

// Connection is one connection of ssh, of which the entry is written.
type Connection struct {
	Entry state.Session   // its container is state.NoContainer where it joined none
	Plan  *policy.Session // nil where it joined none

	OnHost bool     // the settings leave it on the host
	NS     *os.File // the network that it is to join, which the caller closes; nil for none
	Err    error    // why it joins nothing; nil with OnHost or NS

	cancel func() // ends what goes on after Limit; may be nil
}

// Leave ends what still goes on for a connection that is over. Its entry is the caller's.
func (c *Connection) Leave() {
	if c.cancel != nil {
		c.cancel()
	}
}

// Join decides what a connection joins, at most until ctx ends. process is sshd's, and info
// what that reports of how the user authenticated. The error is that of an entry that cannot be
// written.
func (j *Joiner) Join(ctx context.Context, user account.User, process proc.Stat, info string) (*Connection, error) {
	if err := j.Seen.Add(announcedName(user.UID)); err != nil {
		return nil, err
	}
	key, _ := sshd.Key(info) // without one %k is refused
	c := &Connection{Entry: state.Session{
		ID: state.NewSessionID(), UID: user.UID, User: user.Name, Container: state.NoContainer,
		Pid: process.Pid, Start: process.Start, Since: time.Now(), Key: key, Connection: true,
	}}
	c.OnHost, c.NS, c.Err = j.join(ctx, c, user, process)
	if c.NS != nil {
		return c, nil
	}
	c.Entry.Container, c.Entry.Waiting, c.Plan = state.NoContainer, false, nil
	return c, j.Sessions.Add(c.Entry)
}

// join opens the network of the container of a connection, which it brings up. The entry has
// the container, and is written, if that is joined.
func (j *Joiner) join(ctx context.Context, c *Connection, user account.User, process proc.Stat) (onHost bool, ns *os.File, err error) {
	effective, err := j.Settings(ctx, settings.Login{
		User:    user,
		Session: c.Entry.ID,
		Address: func() (string, error) {
			addr, err := sshd.Address(process)
			return addr.String(), err
		},
		Key: func() (string, error) { return orNoKey(c.Entry.Key) },
	})
	if err != nil {
		return false, nil, err
	}
	groups, _ := j.Groups(ctx, user) // those that the login will have; without them it starts an agent
	decided, err := policy.DecideConnection(user, account.Supplementary(groups, user.GID), effective.Settings, effective.Written)
	if err != nil || decided.OnHost {
		return err == nil, nil, err
	}
	c.Plan = decided.Plan.Session()
	c.Entry.Container, c.Entry.Address = decided.Plan.Container, effective.Address
	if err := j.Sessions.Add(c.Entry); err != nil {
		return false, nil, err
	}
	ns, err = j.open(ctx, c, bringup.Login{Plan: decided.Plan, KnownOnly: decided.KnownOnly})
	return false, ns, err
}

// opened is what OpenNetwork returned, with the entry as it left it.
type opened struct {
	ns    *os.File
	entry state.Session
	err   error
}

// open brings the container up, at most until ctx ends. After that the work goes on until the
// connection ends: the login that follows shares it.
func (j *Joiner) open(ctx context.Context, c *Connection, l bringup.Login) (*os.File, error) {
	work, cancel := context.WithTimeout(j.Context, launch.MakeLimit)
	c.cancel = cancel
	done := make(chan opened, 1)
	entry := c.Entry
	go func() {
		l.Session = &entry
		ns, err := j.Bringup.OpenNetwork(work, l)
		done <- opened{ns, entry, err}
	}()
	leave := func(o opened) {
		if o.ns != nil {
			_ = o.ns.Close()
		}
		j.Sessions.Remove(o.entry)
		j.Ended(o.entry.Container, l.Plan.Session())
	}
	select {
	case o := <-done:
		if o.err != nil {
			go leave(o) // the engine may take its time
			return nil, o.err
		}
		c.Entry = o.entry
		return o.ns, nil
	case <-ctx.Done():
		go func() { leave(<-done) }()
		return nil, errors.Join(errSlow, j.Context.Err())
	}
}
