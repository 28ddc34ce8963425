//go:build e2e

package admin

import (
	"encoding/json"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// listed is a session of `dockershctl sessions --json`.
type listed struct {
	ID, User, Container, Client, Key, TTY string
	UID, Pid                              int
	Since                                 time.Time
	Idle                                  *int
}

// listedOf returns the sessions of an account, the oldest first.
func listedOf(t *testing.T, u *e2e.Account) (mine []listed) {
	t.Helper()
	out, errs, status := e2e.Ctl(t, "sessions", "--json")
	var all []listed
	if err := json.Unmarshal([]byte(out), &all); err != nil || status != 0 {
		t.Fatalf("%v: %q %q", err, out, errs)
	}
	for _, s := range all {
		if s.User == u.Name {
			mine = append(mine, s)
		}
	}
	return mine
}

func TestSessionsListsEachUserWithTheirAddress(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	all := listedOf(t, u)
	if len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	s := all[0]
	if s.ID == "" || s.UID != u.UID || s.Container != u.Name+"_dockersh" || s.Client != "127.0.0.1" || s.Key != "" || time.Since(s.Since) > 2*e2e.Limit {
		t.Errorf("%+v", s)
	}
	if tty := e2e.OnHost(t, "ps", "-o", "tty=", "-p", strconv.Itoa(s.Pid)); tty != s.TTY || !strings.HasPrefix(tty, "pts/") || s.Idle == nil {
		t.Errorf("%+v; ps says %q", s, tty)
	}
	pipe := exec.Command("/usr/bin/ssh", e2e.SSHArgv(u, "127.0.0.1", "sleep 100")[1:]...)
	if err := pipe.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pipe.Process.Kill(); _ = pipe.Wait() })
	e2e.Eventually(t, "the second session is listed", func() bool { all = listedOf(t, u); return len(all) == 2 })
	for _, s := range all {
		if s.ID != all[0].ID && s.ID == "" || (s.TTY == "") != (s.Idle == nil) {
			t.Errorf("%+v", s)
		}
	}
	if all[0].TTY != "" && all[1].TTY != "" {
		t.Errorf("one has no terminal: %+v", all)
	}
	if out, _, status := e2e.Ctl(t, "sessions"); status != 0 || !strings.HasPrefix(out, "ID ") || !strings.Contains(out, s.ID) || !strings.Contains(out, s.TTY) {
		t.Errorf("%d: %q", status, out)
	}
	if out, _, _ := e2e.Ctl(t, "sessions", "-q"); !strings.Contains("\n"+out, "\n"+s.ID+"\n") {
		t.Errorf("%q", out)
	}
	c.Line("exit")
	_ = pipe.Process.Kill()
	e2e.Eventually(t, "no session is listed", func() bool { return len(listedOf(t, u)) == 0 })
}

func TestSessionsListsTheKeyAndAddressThatTheSettingsUse(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	u := e2e.NewUser(t, "containername = %u-%i")
	e2e.LiveSession(t, u)
	if all := listedOf(t, u); len(all) != 1 || all[0].Client != "127.0.0.1" || all[0].Container != u.Name+"-127.0.0.1" {
		t.Errorf("%+v", all)
	}
	byKey := e2e.NewUser(t, "containername = %u-%k")
	e2e.LiveSession(t, byKey)
	if all := listedOf(t, byKey); len(all) != 1 || len(all[0].Key) < 40 || all[0].Client != "127.0.0.1" {
		t.Errorf("%+v", all)
	}
}

func TestIdleIsTheTimeSinceTheLastKey(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	// The kernel keeps the time to 8 seconds.
	e2e.Eventually(t, "the session is idle", func() bool { return *listedOf(t, u)[0].Idle >= 12 })
	c.Run("echo typed")
	if idle := *listedOf(t, u)[0].Idle; idle > 9 {
		t.Errorf("idle for %d seconds", idle)
	}
}
