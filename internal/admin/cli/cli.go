// Package cli is what every command of dockershctl is made of: arguments, errors,
// and what is asked or shown on the administrator's terminal.
package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// Env is what a command works with.
type Env struct {
	Out     io.Writer
	Engines *engine.Clients
	Marks   Marks
}

// Marks returns the marks (engine.LabelMark) of all containers that dockersh made on the
// engines in use, by their names, as far as the engines answer.
type Marks func(context.Context) map[string][]string

// RequireRoot returns an error that names the command, unless root runs it: one line
// instead of one for each file that cannot be read.
func RequireRoot(command string) error {
	if os.Geteuid() == 0 {
		return nil
	}
	return usererr.New(usererr.Denied, "only root may run dockershctl "+command, "sudo dockershctl "+command, nil)
}

// Confirm shows text on the terminal and asks whether to go on. Without a terminal,
// or without a yes, it returns an error.
func Confirm(ctx context.Context, text string) error {
	if !tty.Is(0) || !tty.Is(2) {
		return usererr.New(usererr.Denied, text, "to go on without being asked, add --yes", nil)
	}
	fmt.Fprintf(os.Stderr, "%s. Go on? [y/N] ", text)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n') // no answer is a no
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(os.Stderr)
		return ctx.Err()
	case a := <-answer:
		if a == "y" || a == "yes" {
			return nil
		}
	}
	return usererr.New(usererr.Denied, "nothing was done", "", nil)
}

// Progress returns a function that shows on a terminal how far a long step is. Each
// call overwrites the line of the one before, and the last one (done == all) removes
// it, as does ClearProgress at any time.
func Progress(what string) func(done, all int) {
	return func(done, all int) {
		switch {
		case !tty.Is(2):
		case all > 0 && done == all:
			ClearProgress()
		case all > 0:
			fmt.Fprintf(os.Stderr, "\r\x1b[K%s: %d of %d", what, done, all)
		default:
			fmt.Fprintf(os.Stderr, "\r\x1b[K%s", what)
		}
	}
}

// ClearProgress removes the line that Progress shows.
func ClearProgress() {
	if tty.Is(2) {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}
