// Package view is the screen of dockershctl top: containers and sessions on a terminal,
// with actions by keys. It is given what it shows and what an action does.
package view

import (
	"context"
	"time"
)

// Unknown is a figure that does not exist, or is not measured yet.
const Unknown = -1

// Container is a row of the list of containers.
type Container struct {
	Name, User, Image, State string
	Sessions                 int
	CPU                      float64       // percent of one processor; Unknown
	Memory                   int64         // bytes; Unknown
	Processes                int           // Unknown
	Idle                     time.Duration // since the last input in any of its sessions; Unknown
	Created                  time.Time
}

// Session is a row of the list of sessions.
type Session struct {
	ID, User, Container, Client, TTY string
	Since                            time.Time
	Idle                             time.Duration // Unknown
}

// Data is all that is shown at one time.
type Data struct {
	At         time.Time
	Containers []Container
	Sessions   []Session
}

// Verb is what is done to the selected row.
type Verb string

// The verbs are commands of dockershctl.
const (
	Stop    Verb = "stop"
	Start   Verb = "start"
	Restart Verb = "restart"
	Reset   Verb = "reset"
	Kick    Verb = "kick"
	Message Verb = "message"
)

// Action is a verb with its target.
type Action struct {
	Verb    Verb
	Target  string // the name of a container, or the id of a session
	Session bool   // whether Target is a session
	Text    string // of a message
}

// Backend is where the view gets its data and has its actions done. Both functions run
// beside the view, and may take seconds.
type Backend struct {
	Look func(context.Context) (Data, error)
	// Do returns a line to show.
	Do func(context.Context, Action) (string, error)
}
