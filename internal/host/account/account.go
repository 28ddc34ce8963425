// Package account looks up users and groups of the host, from the name services that
// getent(1) asks.
package account

import (
	"errors"

	"github.com/dockersh/dockersh/internal/host/passwd"
)

// The name services answer in lines of passwd(5) and group(5).
type (
	// User is a user of the host.
	User = passwd.User
	// Group is a group of the host. One that no name service knows has its number as its name.
	Group = passwd.Group
)

var (
	// ErrUnknown means that no name service knows the user. getent(1) reports the same
	// if one name service is down and another one answers.
	ErrUnknown = errors.New("no such user")
	// ErrUnavailable means that users cannot be looked up at present.
	ErrUnavailable = errors.New("the name service does not answer")
)
