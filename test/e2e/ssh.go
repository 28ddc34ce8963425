package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// DialGo connects to a port with a client in Go, for what the real one hides: death by signal,
// and requests that it makes only together with others.
func DialGo(t testing.TB, a *Account, port string) *gossh.Client {
	t.Helper()
	pem, err := os.ReadFile(Scratch + "/key")
	if err != nil {
		t.Fatal(err)
	}
	key, err := gossh.ParsePrivateKey(pem)
	if err != nil {
		t.Fatal(err)
	}
	client, err := gossh.Dial("tcp", "127.0.0.1:"+port, &gossh.ClientConfig{
		User:            a.Name,
		Auth:            []gossh.AuthMethod{gossh.PublicKeys(key)},
		HostKeyCallback: gossh.InsecureIgnoreHostKey(), // our own loopback
		Timeout:         Limit,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// GoSession opens a session of a client in Go.
func GoSession(t testing.TB, a *Account) *gossh.Session {
	t.Helper()
	s, err := DialGo(t, a, Port).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A Result is what became of an ssh client.
type Result struct {
	Stdout, Stderr string
	Status         int
	Took           time.Duration
}

// ClientOptions are those of OpenSSH's clients, which then read nothing of the host's own
// configuration. port is the letter for the port.
func ClientOptions(port string) []string {
	return []string{
		"-F", "none", "-" + port, Port, "-i", Scratch + "/key",
		"-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR",
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "ConnectTimeout=60",
	}
}

// SSHArgv returns a command line of the real client. args begin with the client's options.
func SSHArgv(a *Account, args ...string) []string {
	return slices.Concat([]string{"/usr/bin/ssh"}, ClientOptions("p"), []string{"-l", a.Name}, args)
}

// destination puts the host in its place: between the client's options and the
// command of "-t -- COMMAND", or before a mere COMMAND.
func destination(args []string) []string {
	for i, arg := range args {
		if arg == "--" {
			return append(append(append([]string{}, args[:i]...), "127.0.0.1"), args[i+1:]...)
		}
	}
	return append([]string{"127.0.0.1"}, args...)
}

// SSH runs a command through the real client, without input: SSH(t, u, "id"), or with
// options of the client: SSH(t, u, "-tt", "--", "tty").
func SSH(t testing.TB, a *Account, args ...string) Result {
	t.Helper()
	return SSHInput(t, a, nil, args...)
}

// SSHInput is SSH with an input.
func SSHInput(t testing.TB, a *Account, stdin io.Reader, args ...string) Result {
	t.Helper()
	r, err := TrySSH(a, stdin, args...)
	if err != nil {
		t.Fatalf("ssh %.100q: %v\nstdout: %.500s\nstderr: %.500s", args, err, r.Stdout, r.Stderr)
	}
	return r
}

// TrySSH is SSHInput for goroutines, which must not end a test.
func TrySSH(a *Account, stdin io.Reader, args ...string) (Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*Limit)
	defer cancel()
	argv := SSHArgv(a, destination(args)...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	r := Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), time.Since(start)}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return r, err
	}
	return r, nil
}

// Want checks the whole result.
func (r Result) Want(t testing.TB, stdout, stderr string, status int) {
	t.Helper()
	if r.Stdout != stdout || r.Stderr != stderr || r.Status != status {
		t.Errorf("stdout %.300q, stderr %.300q, status %d\nwant   %.300q, stderr %.300q, status %d",
			r.Stdout, r.Stderr, r.Status, stdout, stderr, status)
	}
}

// Ignored checks that a login went on without its ~/.dockersh, and said why on stderr.
func (r Result) Ignored(t testing.TB, words ...string) {
	t.Helper()
	_, line, found := strings.Cut(r.Stderr, "dockersh: ~/.dockersh is ignored: ")
	line, _, _ = strings.Cut(line, "\n")
	if !found || r.Status == 255 {
		t.Errorf("status %d, stderr %.500q; want the line that ~/.dockersh is ignored", r.Status, r.Stderr)
	}
	for _, word := range words {
		if !strings.Contains(line, word) {
			t.Errorf("the line %.500q does not say %q", line, word)
		}
	}
}

// Refused checks that a login failed with one line on stderr, and perhaps a hint,
// nothing on stdout, and the status of a shell that did not run.
func (r Result) Refused(t testing.TB, words ...string) {
	t.Helper()
	if r.Stdout != "" || r.Status != 255 {
		t.Errorf("stdout %.300q, status %d; want nothing, 255 (stderr %.300q)", r.Stdout, r.Status, r.Stderr)
	}
	lines := strings.Split(strings.TrimRight(r.Stderr, "\n"), "\n")
	if !strings.HasPrefix(lines[0], "dockersh: error: ") {
		t.Errorf("stderr %.500q; want dockersh: error: ...", r.Stderr)
	}
	for _, line := range lines[1:] {
		if !strings.Contains(line, "hint:") {
			t.Errorf("more than one line and a hint: %.500q", r.Stderr)
		}
	}
	for _, word := range words {
		if !strings.Contains(r.Stderr, word) {
			t.Errorf("stderr %.500q; want it to say %q", r.Stderr, word)
		}
	}
}
