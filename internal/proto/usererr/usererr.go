// Package usererr has errors in two parts: a sentence for the user, and a cause for the
// log. An error of any other type is never shown to a user.
package usererr

import (
	"errors"
	"strings"
)

// Code is the kind of an error, on both sides of a socket, so that programs need not
// interpret the text.
type Code uint8

// The numbers of the codes are part of the protocol (PROTOCOL.md).
const (
	Internal    Code = iota // a fault of dockersh or of the host; the cause is in the log
	Settings                // the settings file or ~/.dockersh is wrong
	Denied                  // the settings do not allow it
	Unavailable             // engine, broker or agent does not answer; it may later
	Container               // the container cannot be made, started or entered
	Protocol                // the peer broke the protocol or speaks another version
	Busy                    // too many requests or sessions of this user
)

// Error is what is wrong and what to do about it, for the user, and why, for the log.
type Error struct {
	Code  Code
	Text  string // lower case, no period, one line
	Hint  string // the command to run, or what to ask for; may be empty
	Cause error  // never shown to the user; may be nil
}

// Hints for users, who cannot do it themselves.
const (
	ReadLog      = "ask the administrator to run: journalctl -t dockershd -t dockersh-bridge"
	RunDoctor    = "ask the administrator to run: dockershctl doctor"
	RunCheck     = "ask the administrator to run: dockershctl check"
	RestartNamed = "ask the administrator to run: dockershctl restart NAME (dockershctl ls shows the names)"
	StartService = "ask the administrator to run: systemctl start dockershd"
)

// Restart returns the hint to restart a container; RestartNamed is for programs that do
// not know its name.
func Restart(container string) string {
	return "ask the administrator to run: dockershctl restart " + container
}

// New returns an error that the user may read.
func New(code Code, text, hint string, cause error) *Error {
	return &Error{Code: code, Text: text, Hint: hint, Cause: cause}
}

// Error returns the sentence and the cause, for the log and not for the user. A cause
// that begins with the sentence stands alone.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Text
	}
	cause := e.Cause.Error()
	if strings.HasPrefix(cause, e.Text) {
		return cause
	}
	return e.Text + ": " + cause
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// For returns what the user may read of err: the Error that it wraps, or else a
// sentence that reveals nothing, with err as its cause.
func For(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{
		Code:  Internal,
		Text:  "something went wrong on this host",
		Hint:  ReadLog,
		Cause: err,
	}
}
