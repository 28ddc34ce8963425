package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// LiveSession logs in on a terminal and waits for the prompt.
func LiveSession(t testing.TB, u *Account) *Console {
	t.Helper()
	c := SSHConsole(t, u)
	c.FirstPrompt()
	return c
}

// CanLogIn checks that the account can log in.
func CanLogIn(t testing.TB, u *Account) {
	t.Helper()
	SSH(t, u, "echo works").Want(t, "works\n", "", 0)
}

// NewContainer is the line for a user whose container was removed outside dockersh.
const NewContainer = "dockersh: this is a new container; the last one was removed outside dockersh\n"

// CanLogInAgain is CanLogIn after the container was removed outside dockersh. A broker
// without root has no place to remember it.
func CanLogInAgain(t testing.TB, u *Account) {
	t.Helper()
	line := NewContainer
	if Door == "direct" {
		line = ""
	}
	SSH(t, u, "echo works").Want(t, "works\n", line, 0)
}

// KilledStatus is the status of an ssh client whose shell was killed.
const KilledStatus = 255

// Lost checks how a session ends whose container or agent is gone: with one line, and
// the status of a killed shell.
func (c *Console) Lost(words ...string) {
	c.T.Helper()
	if status := c.Wait(); status != KilledStatus {
		c.T.Errorf("status %d, want %d that of a killed shell", status, KilledStatus)
	}
	shown := c.Shown()
	at := strings.LastIndex(shown, "dockersh: ")
	if at < 0 || strings.Count(shown, "dockersh: ") != 1 {
		c.T.Fatalf("want one line of dockersh, got %q", shown)
	}
	line := shown[at:]
	if strings.Count(strings.TrimSpace(line), "\n") != 0 || !strings.HasSuffix(line, "\r\n") {
		c.T.Errorf("want one whole line, got %q", line)
	}
	for _, word := range words {
		if !strings.Contains(line, word) {
			c.T.Errorf("the line %q does not say %q", line, word)
		}
	}
}

// CutConnection runs a command, kills the client, and checks that the command is hung
// up. option is -tt or -T.
func CutConnection(t testing.TB, u *Account, option string) {
	t.Helper()
	mark := fmt.Sprintf("sleep %d%d", u.UID, len(t.Name()))
	c := NewConsole(t, 24, 80, SSHArgv(u, option, "127.0.0.1", mark+"; echo x; cat")...)
	Eventually(t, "the command runs", func() bool { return CommandRuns(mark) })
	_ = c.Cmd.Process.Kill()
	Eventually(t, "the command is hung up", func() bool { return !CommandRuns(mark) })
}

// progress matches what a first login shows on a terminal while it waits.
var progress = regexp.MustCompile(`(\r\x1b\[K[^\r\n]*)*\r\x1b\[K`)

// Logins logs n accounts in at once, half of them with a terminal.
func Logins(t testing.TB, n int, who func(i int) *Account) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			args, end := []string{"-T"}, "\n"
			if i%2 == 1 {
				args, end = []string{"-tt"}, "\r\n"
			}
			r, err := TrySSH(who(i), nil, append(args, "--", fmt.Sprintf("echo %d; exit %d", i, i%100))...)
			r.Stdout = progress.ReplaceAllString(r.Stdout, "")
			if want := fmt.Sprint(i) + end; err != nil || r.Stdout != want || r.Status != i%100 || r.Stderr != "" {
				t.Errorf("login %d: %v, %q, %q, %d after %v", i, err, r.Stdout, r.Stderr, r.Status, r.Took)
			}
		})
	}
	wg.Wait()
}

// StateOf returns the paths of what the broker keeps of an account whose containers are
// named for it.
func StateOf(u *Account) (all []string) {
	patterns := []string{
		"/c/" + u.Name + `[_~\-]*`,
		"/retention/" + u.Name + `[_~\-]*`,
		"/s/*." + u.Name + `[_\-]*`,
	}
	for _, pattern := range patterns {
		found, err := filepath.Glob(u.StateDir() + pattern)
		if err != nil {
			panic(err) // of the pattern
		}
		all = append(all, found...)
	}
	return all
}

// ContainersGone waits until nothing is left of the account's containers, neither in
// the engine nor in the broker's directory.
func ContainersGone(t testing.TB, u *Account) {
	t.Helper()
	if !Within(Limit, func() bool { return len(u.Containers(t)) == 0 && len(StateOf(u)) == 0 }) {
		t.Fatalf("left after %v: containers %q, and %q", Limit, u.Containers(t), StateOf(u))
	}
}
