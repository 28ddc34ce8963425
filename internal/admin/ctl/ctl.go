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
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/engine"
)

// Exit codes.
const (
	failed = 1 // it was tried and did not work, or something was found wrong
	misuse = 2 // the command line is wrong
)

// Main runs dockershctl; the result is the exit code.
func Main(open engine.Opener) int {
	cli.Engines.Open = open
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
		cli.PrintError(errs, cli.Unknown(fmt.Sprintf("unknown command %q", args[0]), args[0], names(), "dockershctl help"))
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
	case errors.Is(err, cli.ErrMisuse):
		fmt.Fprintf(errs, "dockershctl: error: %v\nhint: dockershctl %s\n", err, strings.TrimSpace(c.name+" "+c.args))
		return misuse
	}
	cli.PrintError(errs, err)
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

func version(_ context.Context, out io.Writer, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: it takes no arguments", cli.ErrMisuse)
	}
	v := "unknown"
	if b, ok := debug.ReadBuildInfo(); ok {
		v = b.Main.Version
	}
	_, err := fmt.Fprintln(out, "dockersh", v)
	return err
}
