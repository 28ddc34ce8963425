package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/suggest"
)

var (
	// ErrMisuse says that the command line is wrong.
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
// administrator runs dockershctl.
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
	fmt.Fprintln(w, "dockershctl: error:", err)
	if hint := hintOf(err); hint != "" {
		fmt.Fprintln(w, "hint:", hint)
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
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// Unknown returns an error for a word that is not among the known ones. Its hint is
// the known word that is most like it, or else the command that lists them.
func Unknown(text, word string, known []string, lister string) error {
	hint := lister
	if best := suggest.Of(word, known); best != "" {
		hint = "did you mean " + best + "?"
	}
	return usererr.New(usererr.Denied, text, hint, nil)
}

// WithUserHint adds a hint to an error of account that says that there is no such
// user. Other errors are returned as they are.
func WithUserHint(err error) error {
	if errors.Is(err, account.ErrUnknown) {
		return usererr.New(usererr.Denied, printable.Text(err.Error()), "getent passwd lists the users of this host", nil)
	}
	return err
}
