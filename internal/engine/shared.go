package engine

import (
	"context"
	"errors"
	"time"
)

// LabelLogin is of a container that several login hosts share: the last login that entered it.
const LabelLogin = "dockersh.login"

// Presence is a session that is in a container, or a login on its way there.
type Presence struct {
	Container string // its name
	Host      string // the login host
	Session   string // letters and digits, different for each one
}

// A presence counts until it was not announced for PresenceLimit. It is announced each PresenceEach.
const (
	PresenceEach  = 10 * time.Second
	PresenceLimit = 40 * time.Second
)

// ErrInUse: another login host has a session in the container.
var ErrInUse = errors.New("another login host has a session in the container")

// Shared is what an engine has beside Engine whose containers several login hosts share, with no
// other means than that engine.
type Shared interface {
	// Announce counts a session as one that is in its container, for PresenceLimit.
	Announce(ctx context.Context, p Presence) error
	// Enter returns a container for a session that was announced, which keeps others from removing
	// it. ErrNotFound where it is another one by now.
	Enter(ctx context.Context, id string, p Presence) (*Container, error)
	// Withdraw ends what Announce began.
	Withdraw(ctx context.Context, p Presence) error
	// Presences returns all sessions that count.
	Presences(ctx context.Context) ([]Presence, error)
	// RemoveVacant removes a container, unless sessions of other hosts than this one are in it:
	// ErrInUse. ErrNotFound.
	RemoveVacant(ctx context.Context, id, host string) error
}
