// Package admin is dockershctl: what the administrator sees and does. A file a
// subcommand.
package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"

	"golang.org/x/sys/unix"

	"dockersh/internal/usererr"
)

// command is one subcommand.
type command struct {
	name, args, does string
	run              func(ctx context.Context, out io.Writer, args []string) error
}

// commands in the order of the help.
func commands() []command {
	return []command{
		{"ls", "[--json]", "list the containers that dockersh made", ls},
		{"sessions", "[-q] [--json]", "list the live sessions", listSessions},
		{"explain", "USER [--client ADDRESS] [--json]", "show every effective setting of a user with its origin, and what a login would do", explain},
		{"check", "[FILE] [--json]", "check a settings file, and show all errors at once", check},
		{"doctor", "[OPTION...] [USER...]", "judge the host: what lets users get past dockersh; ends with a login", judge},
		{"sshd-config", "[USER... | --group NAME]", "print the lines of sshd_config with which sshd passes doctor", sshdConfig},
		{"version", "", "show the version", version},
	}
}

// Exit codes.
const (
	failed = 1 // it was tried and did not work, or something was found wrong
	misuse = 2 // the command line is wrong
)

var errMisuse = errors.New("misuse")

// errFound ends a command that has said itself what is wrong.
var errFound = errors.New("found wrong")

// Main runs dockershctl; the result is the exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	return run(ctx, os.Stdout, os.Stderr, os.Args[1:])
}

func run(ctx context.Context, out, errs io.Writer, args []string) int {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		help(out)
		return 0
	}
	if args[0] == "--version" {
		args[0] = "version"
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, out, args[1:])
		switch {
		case err == nil:
			return 0
		case errors.Is(err, errFound):
			return failed
		case errors.Is(err, errMisuse):
			fmt.Fprintf(errs, "dockershctl: error: %v\nhint: dockershctl %s %s\n", err, c.name, c.args)
			return misuse
		}
		// Whoever runs this is the administrator: he may read the cause.
		fmt.Fprintln(errs, "dockershctl: error:", err)
		var e *usererr.Error
		if errors.As(err, &e) && e.Hint != "" {
			fmt.Fprintln(errs, "hint:", e.Hint)
		}
		return failed
	}
	fmt.Fprintf(errs, "dockershctl: error: unknown command %q\nhint: dockershctl help\n", args[0])
	return misuse
}

func help(out io.Writer) {
	fmt.Fprint(out, "usage: dockershctl COMMAND [ARGUMENTS]\n\n")
	for _, c := range commands() {
		head := c.name + " " + c.args
		if len(head) > 24 {
			head += fmt.Sprintf("\n  %-24s", "")
		}
		fmt.Fprintf(out, "  %-24s %s\n", head, c.does)
	}
	fmt.Fprint(out, "\nWith --json the result is JSON. See dockershctl(8).\n")
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
