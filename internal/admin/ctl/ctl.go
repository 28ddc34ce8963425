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
	"time"

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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	engines := &engine.Clients{Open: open}
	env := cli.Env{Out: os.Stdout, Engines: engines, Marks: containers.Marks(engines)}
	return untilEnd(ctx, stop, os.Stderr, func() int { return run(ctx, env, os.Stderr, os.Args[1:]) })
}

// endLimit is how long a command has to end once it is interrupted.
const endLimit = 3 * time.Second

// untilEnd returns the exit code of a command, or gives it up if it does not end with ctx: a
// system call may wait for a file system that does not answer, and no context ends that.
// After the first signal the next one kills.
func untilEnd(ctx context.Context, stop func(), errs io.Writer, command func() int) int {
	ended := make(chan int, 1)
	go func() { ended <- command() }()
	select {
	case code := <-ended:
		return code
	case <-ctx.Done():
		stop()
	}
	select {
	case code := <-ended:
		return code
	case <-time.After(endLimit):
		cli.PrintError(errs, errors.New("interrupted: this host does not answer"))
		return failed
	}
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
