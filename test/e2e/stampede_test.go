//go:build e2e

package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func TestTwoHundredLoginsOfOneUserAtOnce(t *testing.T) {
	u := newBoxed(t)
	logins(t, 200, func(int) *account { return u })
	u.container(t)
	nothingLeft(t, u)
}

func TestOneHundredFirstLoginsOfOneHundredUsersAtOnce(t *testing.T) {
	privileged(t, "a hundred brokers of a hundred users cannot wait for each other, and all stand in the engine's way")
	users := make([]*account, 100)
	for i := range users {
		users[i] = newBoxed(t)
	}
	logins(t, len(users), func(i int) *account { return users[i] })
	for _, u := range users {
		u.container(t)
	}
	nothingLeft(t, users...)
}

// progress is what a first login shows on a terminal while it waits.
var progress = regexp.MustCompile(`(\r\x1b\[K[^\r\n]*)*\r\x1b\[K`)

// logins logs n accounts in at once, half of them with a terminal.
func logins(t *testing.T, n int, who func(i int) *account) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			args, end := []string{"-T"}, "\n"
			if i%2 == 1 {
				args, end = []string{"-tt"}, "\r\n"
			}
			r, err := trySSH(who(i), nil, append(args, "--", fmt.Sprintf("echo %d; exit %d", i, i%100))...)
			r.stdout = progress.ReplaceAllString(r.stdout, "")
			if want := fmt.Sprint(i) + end; err != nil || r.stdout != want || r.status != i%100 || r.stderr != "" {
				t.Errorf("login %d: %v, %q, %q, %d after %v", i, err, r.stdout, r.stderr, r.status, r.took)
			}
		})
	}
	wg.Wait()
}

// nothingLeft asserts that the sessions' processes are gone, on the host and
// inside: all that lives in a container is its process 1.
func nothingLeft(t *testing.T, users ...*account) {
	t.Helper()
	eventually(t, "no front is left", func() bool {
		return len(pidsOf(func(_ int, args string) bool {
			return strings.Contains(args, front) || strings.HasPrefix(args, "-dockersh")
		})) == 0
	})
	for _, u := range users {
		id := u.container(t)
		eventually(t, u.name+"'s container is at rest", func() bool {
			return len(strings.Split(run(t, "docker", "top", id, "-eo", "pid,args"), "\n")) == 2
		})
	}
}
