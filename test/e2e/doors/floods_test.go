//go:build e2e

package doors

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/test/e2e"
)

// flood sends a login on many connections again and again, until the input ends.
func flood(m *wire.Login, connections int) error {
	login, err := wire.Encode(m)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { _, _ = os.Stdin.Read(make([]byte, 1)); close(ended) }()
	fmt.Println("ready")
	for {
		var open []int
		for range connections {
			select {
			case <-ended:
				return nil
			default:
			}
			fd, err := connectBroker()
			if err != nil {
				return err
			}
			open = append(open, fd)
			_ = syscall.Sendmsg(fd, login, nil, nil, syscall.MSG_NOSIGNAL)
		}
		for _, fd := range open {
			_, _ = syscall.Read(fd, make([]byte, 4096))
			syscall.Close(fd)
		}
	}
}

func refusedLogins() error { return flood(&wire.Login{Version: wire.Version + 1}, 200) }

func wrongFiles() error {
	file := append([]byte("[dockersh]\n"), bytes.Repeat([]byte("x\n"), 32_000)...)
	return flood(&wire.Login{Version: wire.Version, UserFile: file}, 2000)
}

// besides logs users in beside an attack, and returns the longest time.
func besides(t *testing.T, u *e2e.Account, n int) (longest time.Duration) {
	t.Helper()
	time.Sleep(2 * time.Second)
	for range n {
		r := e2e.SSH(t, u, "echo in")
		r.Want(t, "in\n", "", 0)
		longest = max(longest, r.Took)
	}
	return longest
}

func TestWrongFilesOfOneUserHoldNobodyUp(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "its socket")
	attacker, u := e2e.NewAccount(t, "/bin/bash", "enableuserconfig"), e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	before := memoryOf(t)
	end := attack(t, attacker, "wrong files")
	took := besides(t, u, 4)
	grown := memoryOf(t) - before
	end()
	t.Logf("a login takes %v; dockershd has grown by %d kB", took, grown)
	if took > 5*time.Second {
		t.Errorf("a login takes %v", took)
	}
	if grown > 80_000 {
		t.Errorf("dockershd has grown by %d kB", grown)
	}
}

func TestRefusedLoginsDrownNoSession(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "its socket")
	attacker, u := e2e.NewAccount(t, "/bin/bash"), e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	const logins = 6
	var ends []func()
	for range 2 {
		ends = append(ends, attack(t, attacker, "refused logins"))
	}
	took := besides(t, u, logins)
	for _, end := range ends {
		end()
	}
	history := func() string {
		b, err := os.ReadFile("/var/log/dockersh/sessions.log")
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	count := func(text string, words ...string) (n int) {
		for line := range strings.Lines(text) {
			all := true
			for _, w := range words {
				all = all && strings.Contains(line, w)
			}
			if all {
				n++
			}
		}
		return n
	}
	e2e.Eventually(t, "each session has a start and an end in log and history", func() bool {
		log, past := e2e.Broker.Log(), history()
		return count(log, "session start", "user="+u.Name+" ") == logins+1 && count(log, "session end", "user="+u.Name+" ") == logins+1 &&
			count(past, `"event":"start"`, `"`+u.Name+`"`) == logins+1 && count(past, `"event":"end"`, `"`+u.Name+`"`) == logins+1
	})
	uid := fmt.Sprint(attacker.UID)
	inLog, inHistory := count(e2e.Broker.Log(), "msg=refused", "uid="+uid+" "), count(history(), `"event":"refused"`, `"uid":`+uid+",")
	t.Logf("a login takes %v; %d refusals in the log, %d in the history", took, inLog, inHistory)
	if inLog == 0 || inLog > 3 || inHistory == 0 || inHistory > 3 {
		t.Errorf("%d refusals in the log, %d in the history", inLog, inHistory)
	}
	if n := count(e2e.Broker.Log(), "dropped") + count(e2e.Broker.Log(), "were lost"); n > 0 {
		t.Errorf("lines are lost: %d", n)
	}
}
