//go:build e2e

package lifecycle

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// Three users log in to one container, which takes long to make.
func TestWaitingForASharedContainerShowsOnATerminalOnly(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "a user's own broker shares no containers")
	r := newRegistry(t)
	r.speed.Store(64 << 10)
	lines := []string{"containername = dsh-waited-for", "imagename = " + r.offer(t, "waited:1", "inside", 2<<20)}
	first, second, quiet := e2e.NewUser(t, lines...), e2e.NewUser(t, lines...), e2e.NewUser(t, lines...)
	maker := e2e.SSHConsole(t, first)
	maker.Expect(`pulling \S+/waited:1: [0-9.]+ of [0-9.]+ MB`)
	without := make(chan e2e.Result, 1)
	go func() {
		got, err := e2e.TrySSH(quiet, nil, "cat /mark; exit 3")
		if err != nil {
			t.Error(err)
		}
		without <- got
	}()
	e2e.Eventually(t, "the login without a terminal waits", func() bool {
		waits, _ := filepath.Glob(e2e.RunDir + "/s/" + strconv.Itoa(quiet.UID) + ".*~")
		return len(waits) > 0
	})
	// When the last one is told, the others have waited long enough to be told.
	waiter := e2e.SSHConsole(t, second)
	waiter.Expect("waiting for the container")
	r.speed.Store(1 << 30)

	(<-without).Want(t, "inside\n", "", 3)
	for _, c := range []*e2e.Console{maker, waiter} {
		c.FirstPrompt()
		if got := c.Run("cat /mark; " + e2e.ContainerID); !strings.HasPrefix(got, "inside\r\n") {
			t.Errorf("%q", got)
		}
		if left := regexp.MustCompile(`waiting|pulling|making|starting`).FindString(c.Screen(24, 80)); left != "" {
			t.Errorf("%q is still on the screen:\n%s", left, c.Screen(24, 80))
		}
		if strings.Contains(c.Shown(), "error") {
			t.Errorf("%q", c.Shown())
		}
	}
	if a, b := maker.Run(e2e.ContainerID), waiter.Run(e2e.ContainerID); a != b {
		t.Errorf("they are in %s and in %s", a, b)
	}
}
