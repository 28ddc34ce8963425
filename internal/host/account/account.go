// Package account looks up users and groups: those of the host, from the name services
// that getent(1) asks, and those in the passwd and group files of an image. It also writes
// a user into such files.
package account

import "errors"

// User is one entry of passwd(5). An empty Shell means /bin/sh.
type User struct {
	Name               string
	UID, GID           uint32
	Home, Shell, Gecos string
}

// Group is a group without its members. A group that no name service knows has its number
// as its name.
type Group struct {
	Name string
	GID  uint32
}

// Identity is a user as a container is to know them.
type Identity struct {
	Name               string
	UID, GID           uint32
	Home, Shell, Gecos string
	Groups             []Group // all groups of the user; the one with GID is the primary group
}

var (
	// ErrUnknown means that no name service knows the user. getent(1) reports the same
	// if one name service is down and another one answers.
	ErrUnknown = errors.New("no such user")
	// ErrUnavailable means that users cannot be looked up at present.
	ErrUnavailable = errors.New("the name service does not answer")
)
