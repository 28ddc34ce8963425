package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/suggest"
)

var (
	// ErrMisuse means that the command line is wrong.
	ErrMisuse = errors.New("misuse")
	// ErrReported ends a command that has already printed what is wrong.
	ErrReported = errors.New("reported")
)

// several are the errors of a command that goes on after one of them.
type several []error

func (s several) Error() string   { return errors.Join(s...).Error() }
func (s several) Unwrap() []error { return s }

// Join returns the errors as one, which PrintError prints one by one. It leaves out
// those that are nil, and returns nil if none is left.
func Join(errs ...error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return nil
	}
	return several(errs)
}

// PrintError prints each error on a line of its own, with its cause: only an
// administrator runs dockershctl. What engines and users wrote may be in it.
func PrintError(w io.Writer, err error) {
	var all several
	if errors.As(err, &all) {
		for _, e := range all {
			PrintError(w, e)
		}
		return
	}
	if errors.Is(err, ErrReported) {
		return
	}
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = printable.Text(lines[i])
	}
	fmt.Fprintln(w, "dockershctl: error:", strings.Join(lines, "\n"))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintln(w, "hint:", printable.Text(hint))
	}
}

// OneLine returns the text of an error on one line, with its hint.
func OneLine(err error) string {
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	if hint := hintOf(err); hint != "" {
		text += " (" + hint + ")"
	}
	return text
}

func hintOf(err error) string {
	var e *usererr.Error
	switch {
	case errors.As(err, &e):
		return e.Hint
	case errors.Is(err, engine.ErrDown):
		return "to see what has to be started, run: dockershctl doctor"
	}
	return ""
}

// Unknown returns an error for a word that is not among the known ones. Its hint
// names the known word that is most like it, or else lister, a command that lists them.
func Unknown(text, word string, known []string, lister string) error {
	hint := "to list them, run: " + lister
	if best := suggest.Of(word, known); best != "" {
		hint = "did you mean " + best + "?"
	}
	return usererr.New(usererr.Denied, text, hint, nil)
}

// UnknownSession is Unknown for a word that is neither the id of a live session nor the
// name of a container with one.
func UnknownSession(word string, known []string) error {
	w := printable.Text(word)
	return Unknown("no live session has the id "+w+" or is in a container named "+w, word, known, "dockershctl sessions")
}

// WithUserHint adds a hint to account.ErrUnknown. It returns other errors as they are.
func WithUserHint(err error) error {
	if errors.Is(err, account.ErrUnknown) {
		return usererr.New(usererr.Denied, printable.Text(err.Error()), "to list the users of this host, run: getent passwd", nil)
	}
	return err
}
