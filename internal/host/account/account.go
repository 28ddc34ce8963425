// Package account knows users and groups: those of the host, from whatever name
// service getent(1) asks, and those in an image's own passwd and group files.
package account

import "errors"

// User is one record of passwd(5). An empty Shell means /bin/sh.
type User struct {
	Name               string
	UID, GID           uint32
	Home, Shell, Gecos string
}

// Group is a group without its members. One that no name service knows has
// its number as its name.
type Group struct {
	Name string
	GID  uint32
}

// Identity is a user as a container shall know him.
type Identity struct {
	Name               string
	UID, GID           uint32
	Home, Shell, Gecos string
	Groups             []Group // all that he is in; the one with GID is his primary one
}

var (
	// ErrUnknown says that no name service knows the user. getent(1) says the
	// same when a name service is down but another one answers.
	ErrUnknown = errors.New("no such user")
	// ErrUnavailable says that users cannot be looked up at present.
	ErrUnavailable = errors.New("the name service does not answer")
)
