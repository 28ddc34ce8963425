// Package ctl is dockershctl: what the administrator sees and does. A file a
// subcommand.
package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// Exit codes.
const (
	failed = 1 // it was tried and did not work, or something was found wrong
	misuse = 2 // the command line is wrong
)

var errMisuse = errors.New("misuse")

// errFound ends a command that has said itself what is wrong.
var errFound = errors.New("found wrong")

// engines are the clients of the engines in use; Main says how they are opened.
var engines engine.Clients

// Main runs dockershctl; the result is the exit code.
func Main(open engine.Opener) int {
	engines.Open = open
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	return run(ctx, os.Stdout, os.Stderr, os.Args[1:])
}

func run(ctx context.Context, out, errs io.Writer, args []string) int {
	if len(args) == 0 {
		args = []string{"help"}
	}
	switch args[0] {
	case "-h", "--help":
		args[0] = "help"
	case "--version":
		args[0] = "version"
	}
	c, known := find(args[0])
	if !known {
		complain(errs, unknown(fmt.Sprintf("unknown command %q", args[0]), args[0], names(), "dockershctl help"))
		return misuse
	}
	var err error
	if wantsHelp(args[1:]) {
		_, err = io.WriteString(out, c.help())
	} else {
		err = c.run(ctx, out, args[1:])
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errMisuse):
		fmt.Fprintf(errs, "dockershctl: error: %v\nhint: dockershctl %s\n", err, strings.TrimSpace(c.name+" "+c.args))
		return misuse
	}
	complain(errs, err)
	return failed
}

// wantsHelp looks for --help among the options.
func wantsHelp(args []string) bool {
	for _, a := range args {
		if a == "--" {
			return false
		}
		if a == "-h" || a == "--help" {
			return true
		}
	}
	return false
}

// several are the errors of a command that goes on after one.
type several []error

func (s several) Error() string   { return errors.Join(s...).Error() }
func (s several) Unwrap() []error { return s }

// together leaves out what is none; nil if nothing is left.
func together(errs ...error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return nil
	}
	return several(errs)
}

// complain says each error in a line of its own. Whoever runs this is the
// administrator: he may read the cause.
func complain(errs io.Writer, err error) {
	var all several
	if errors.As(err, &all) {
		for _, e := range all {
			complain(errs, e)
		}
		return
	}
	if errors.Is(err, errFound) {
		return // it was said
	}
	fmt.Fprintln(errs, "dockershctl: error:", err)
	var e *usererr.Error
	if errors.As(err, &e) && e.Hint != "" {
		fmt.Fprintln(errs, "hint:", e.Hint)
	}
}

func version(_ context.Context, out io.Writer, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: it takes no arguments", errMisuse)
	}
	v := "unknown"
	if b, ok := debug.ReadBuildInfo(); ok {
		v = b.Main.Version
	}
	_, err := fmt.Fprintln(out, "dockersh", v)
	return err
}
