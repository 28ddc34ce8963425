// Package passwd reads and writes passwd(5) and group(5): text in, text out. It writes a user into
// the files of an image or of a container.
package passwd

// User is one entry of passwd(5). An empty Shell means /bin/sh.
type User struct {
	Name               string
	UID, GID           uint32
	Home, Shell, Gecos string
}

// Group is one entry of group(5) without its members.
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
