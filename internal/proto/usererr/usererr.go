// Package usererr is an error with two faces: a sentence for the user and a
// cause for the log. What is not marked as the user's to read is never shown.
package usererr

import (
	"errors"
	"strings"
)

// Code says on both sides of a socket what kind of error it is, so that a
// program can decide without reading prose.
type Code uint8

// The codes. Their numbers are part of the protocol (PROTOCOL.md).
const (
	Internal    Code = iota // a fault of ours or of the host; the cause is in the log
	Settings                // the settings file or ~/.dockersh is wrong
	Denied                  // the settings do not give this
	Unavailable             // engine, broker or agent does not answer; may work later
	Container               // the container cannot be made, started or entered
	Protocol                // the peer broke the protocol or speaks another version
	Busy                    // too many requests or sessions of this user
)

// Error is a sentence for the user, with what to do about it and, for the log
// only, why.
type Error struct {
	Code  Code
	Text  string // lower case, no period, one line
	Hint  string // what to run or whom to ask; may be empty
	Cause error  // never shown to the user; may be nil
}

// New returns an error that the user may read.
func New(code Code, text, hint string, cause error) *Error {
	return &Error{Code: code, Text: text, Hint: hint, Cause: cause}
}

// Error returns the sentence and the cause: it is for the log, not for the user. A
// cause that begins with the sentence stands alone.
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

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// For returns what the user may read of err: the Error that is wrapped in it,
// or a sentence that tells nothing but that it was logged.
func For(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{
		Code:  Internal,
		Text:  "something went wrong on this host",
		Hint:  "ask the administrator: the cause is in the system log",
		Cause: err,
	}
}
