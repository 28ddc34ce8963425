//go:build e2e

package e2e

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Three come to one container, which takes long to make.
func TestWhoWaitsForASharedContainerIsToldSoOnATerminalAndNowhereElse(t *testing.T) {
	privileged(t, "a container that a user's own broker makes is his alone")
	r := newRegistry(t)
	r.speed.Store(64 << 10)
	lines := []string{"containername = dsh-waited-for", "imagename = " + r.offer(t, "waited:1", "inside", 2<<20)}
	first, second, quiet := newBoxed(t, lines...), newBoxed(t, lines...), newBoxed(t, lines...)
	maker := sshConsole(t, first)
	maker.expect(`pulling \S+/waited:1: [0-9.]+ of [0-9.]+ MB`)
	without := make(chan result, 1)
	go func() {
		got, err := trySSH(quiet, nil, "cat /mark; exit 3")
		if err != nil {
			t.Error(err)
		}
		without <- got
	}()
	eventually(t, "the one without a terminal waits", func() bool {
		waits, _ := filepath.Glob(runDir + "/s/" + strconv.Itoa(quiet.uid) + ".*~")
		return len(waits) > 0
	})
	// Who comes last is told, so those who came before waited long enough for a word.
	waiter := sshConsole(t, second)
	waiter.expect("waiting for the container")
	r.speed.Store(1 << 30)

	(<-without).want(t, "inside\n", "", 3)
	for _, c := range []*console{maker, waiter} {
		c.login()
		if got := c.run("cat /mark; hostname"); !strings.HasPrefix(got, "inside\r\n") {
			t.Errorf("%q", got)
		}
		if left := regexp.MustCompile(`waiting|pulling|making|starting`).FindString(c.screen(24, 80)); left != "" {
			t.Errorf("%q is still on the screen:\n%s", left, c.screen(24, 80))
		}
		if strings.Contains(c.shown(), "error") {
			t.Errorf("%q", c.shown())
		}
	}
	if a, b := maker.run("hostname"), waiter.run("hostname"); a != b {
		t.Errorf("they are in %s and in %s", a, b)
	}
}
