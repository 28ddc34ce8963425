//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// result is what the ssh client gave.
type result struct {
	stdout, stderr string
	status         int
	took           time.Duration
}

// sshArgv is a command line of the real client that knows nothing of the
// machine's own configuration.
func sshArgv(a *account, args ...string) []string {
	return append([]string{
		"/usr/bin/ssh", "-F", "none", "-p", port, "-i", scratch + "/key", "-l", a.name,
		"-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR",
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "ConnectTimeout=60",
	}, args...)
}

// destination puts the host where it belongs: between the client's options and
// the command of "-t -- COMMAND", or before a mere COMMAND.
func destination(args []string) []string {
	for i, arg := range args {
		if arg == "--" {
			return append(append(append([]string{}, args[:i]...), "127.0.0.1"), args[i+1:]...)
		}
	}
	return append([]string{"127.0.0.1"}, args...)
}

// ssh runs a command by the real client with no input: ssh(t, u, "id"), or
// with options of the client, ssh(t, u, "-tt", "--", "tty").
func ssh(t testing.TB, a *account, args ...string) result {
	t.Helper()
	return sshInput(t, a, nil, args...)
}

func sshInput(t testing.TB, a *account, stdin io.Reader, args ...string) result {
	t.Helper()
	r, err := trySSH(a, stdin, args...)
	if err != nil {
		t.Fatalf("ssh %.100q: %v\nstdout: %.500s\nstderr: %.500s", args, err, r.stdout, r.stderr)
	}
	return r
}

// trySSH is for goroutines, where a test may not be ended.
func trySSH(a *account, stdin io.Reader, args ...string) (result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*limit)
	defer cancel()
	argv := sshArgv(a, destination(args)...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	r := result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), time.Since(start)}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return r, err
	}
	return r, nil
}

// want asserts one result.
func (r result) want(t testing.TB, stdout, stderr string, status int) {
	t.Helper()
	if r.stdout != stdout || r.stderr != stderr || r.status != status {
		t.Errorf("stdout %.300q, stderr %.300q, status %d\nwant   %.300q, stderr %.300q, status %d",
			r.stdout, r.stderr, r.status, stdout, stderr, status)
	}
}

// refused asserts a login that failed with one line on stderr, nothing on
// stdout and ssh's status for "the shell did not run".
func (r result) refused(t testing.TB, words ...string) {
	t.Helper()
	if r.stdout != "" || r.status != 255 {
		t.Errorf("stdout %.300q, status %d; want nothing, 255 (stderr %.300q)", r.stdout, r.status, r.stderr)
	}
	lines := strings.Split(strings.TrimRight(r.stderr, "\n"), "\n")
	if !strings.HasPrefix(lines[0], "dockersh: error: ") {
		t.Errorf("stderr %.500q; want dockersh: error: ...", r.stderr)
	}
	for _, line := range lines[1:] {
		if !strings.Contains(line, "hint:") {
			t.Errorf("more than one line and a hint: %.500q", r.stderr)
		}
	}
	for _, word := range words {
		if !strings.Contains(r.stderr, word) {
			t.Errorf("stderr %.500q; want it to say %q", r.stderr, word)
		}
	}
}
