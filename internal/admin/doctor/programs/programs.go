// Package programs runs the programs by which doctor learns of a host: as root, or with the
// rights of a user, in whose hands they are then.
package programs

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/wait"
)

// Limit bounds the run of a program that is asked for facts.
const Limit = 20 * time.Second

// Output runs a program as root and returns its output. The error is the first line of
// its error output, if there is one.
func Output(ctx context.Context, argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = "/", []string{}, &out, &errs, time.Second
	if err := cmd.Run(); err != nil {
		if words, _, _ := strings.Cut(strings.TrimSpace(errs.String()), "\n"); words != "" {
			return "", errors.New(strings.TrimSpace(words))
		}
		return "", err
	}
	return out.String(), nil
}

// OutputAs runs a program with the rights of a user for as long as limit, and returns the first
// bytes of its output, even if it failed in the end; none if it had to be left.
func OutputAs(ctx context.Context, limit time.Duration, u account.User, groups []account.Group, argv ...string) string {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	out := Capped{End: cancel}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.WaitDelay = "/", []string{}, &out, time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: Credential(u, groups)}
	if err := Run(ctx, cmd); errors.Is(err, wait.ErrGivenUp) {
		return "" // it may still write
	}
	return out.String()
}

// Run runs a command until its context ends. One that waits for a file system cannot always
// be killed: it is left then, with wait.ErrGivenUp.
func Run(ctx context.Context, cmd *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Run() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(cmd.WaitDelay + time.Second):
		return wait.ErrGivenUp
	}
}

// Credential returns the ids of a process of the user.
func Credential(u account.User, groups []account.Group) *syscall.Credential {
	c := &syscall.Credential{Uid: u.UID, Gid: u.GID}
	for _, g := range groups {
		c.Groups = append(c.Groups, g.GID)
	}
	return c
}
