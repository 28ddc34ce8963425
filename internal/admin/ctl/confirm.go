package ctl

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// confirm asks whoever sits at the terminal. Without one nothing is done.
func confirm(ctx context.Context, text string) error {
	if !tty.Is(0) || !tty.Is(2) {
		return usererr.New(usererr.Denied, text, "add --yes if that is wanted", nil)
	}
	fmt.Fprintf(os.Stderr, "%s. Go on? [y/N] ", text)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n') // no answer is none
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
