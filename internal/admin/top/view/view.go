// Package view is the live view of dockershctl: containers and sessions on a
// terminal, with actions at a key. It knows a screen and keys; what it shows and
// what an action does is given to it.
package view

import (
	"context"
	"time"
)

// Unknown is a figure that nobody has measured yet, or that there is none of.
const Unknown = -1

// Container is a row of the first view.
type Container struct {
	Name, User, Image, State string
	Sessions                 int
	CPU                      float64       // percent of one processor; Unknown
	Memory                   int64         // bytes; Unknown
	Processes                int           // Unknown
	Idle                     time.Duration // since somebody typed in one of its sessions; Unknown
	Created                  time.Time
}

// Session is a row of the second view.
type Session struct {
	ID, User, Container, Client, TTY string
	Since                            time.Time
	Idle                             time.Duration // Unknown
}

// Data is all that is shown, at one time.
type Data struct {
	At         time.Time
	Containers []Container
	Sessions   []Session
}

// Verb is what is done to what is selected.
type Verb string

// The verbs, as the commands of dockershctl.
const (
	Stop    Verb = "stop"
	Start   Verb = "start"
	Restart Verb = "restart"
	Reset   Verb = "reset"
	Kick    Verb = "kick"
	Message Verb = "message"
)

// Action is a verb with its object.
type Action struct {
	Verb    Verb
	Target  string // the name of a container, or the id of a session
	Session bool   // it is a session
	Text    string // of a message
}

// Desk is what the view looks at and works with. Both functions may take their
// time, and run beside the view.
type Desk struct {
	Look func(context.Context) (Data, error)
	// Do gives a line to show.
	Do func(context.Context, Action) (string, error)
}
