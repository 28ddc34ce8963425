// Package ctl is dockershctl's command line: the table of its commands, their help, and
// the exit code.
package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/containers"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/version"
)

// Exit codes.
const (
	failed = 1 // something did not work or was found wrong
	misuse = 2 // the command line is wrong
)

// Main runs dockershctl and returns its exit code. open opens an engine.
func Main(open engine.Opener) int {
	if len(os.Args) < 2 || os.Args[1] != asWorker {
		return runWorker(newWorker(os.Args[1:]), os.Stderr)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	engines := &engine.Clients{Open: open}
	env := cli.Env{Out: os.Stdout, Engines: engines, Marks: containers.Marks(engines)}
	return work(func() int { return run(ctx, env, os.Stderr, os.Args[2:]) })
}

func run(ctx context.Context, env cli.Env, errs io.Writer, args []string) int {
	if len(args) == 0 {
		args = []string{"help"}
	}
	switch args[0] {
	case "-h", "--help":
		args[0] = "help"
	case "--version":
		args[0] = "version"
	case forCompletion:
		complete(ctx, env, args[1:])
		return 0
	}
	c, err := find(args[0])
	if err != nil {
		cli.PrintError(errs, err)
		return misuse
	}
	if wantsHelp(args[1:]) {
		_, err = io.WriteString(env.Out, c.help())
	} else {
		err = c.run(ctx, env, args[1:])
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, cli.ErrMisuse):
		fmt.Fprintf(errs, "dockershctl: error: %v\nhint: %s\n", err, c.usage())
		return misuse
	}
	cli.PrintError(errs, err)
	return failed
}

// printVersion is the command version.
func printVersion(_ context.Context, env cli.Env, args []string) error {
	if _, err := (cli.Options{}).Parse(args, 0, 0); err != nil {
		return err
	}
	_, err := fmt.Fprintln(env.Out, "dockersh", version.Get())
	return err
}
