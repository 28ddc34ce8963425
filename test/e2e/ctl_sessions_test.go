//go:build e2e

package e2e

import (
	"encoding/json"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// listed is a session as dockershctl lists it.
type listed struct {
	ID, User, Container, Client, Key, TTY string
	UID, Pid                              int
	Since                                 time.Time
	Idle                                  *int
}

// listedOf are the sessions of an account, the oldest first.
func listedOf(t *testing.T, u *account) (mine []listed) {
	t.Helper()
	out, errs, status := ctl(t, "sessions", "--json")
	var all []listed
	if err := json.Unmarshal([]byte(out), &all); err != nil || status != 0 {
		t.Fatalf("%v: %q %q", err, out, errs)
	}
	for _, s := range all {
		if s.User == u.name {
			mine = append(mine, s)
		}
	}
	return mine
}

func TestSessionsShowsWhoIsInAndFromWhere(t *testing.T) {
	u := newBoxed(t)
	c := live(t, u)
	all := listedOf(t, u)
	if len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	s := all[0]
	if s.ID == "" || s.UID != u.uid || s.Container != u.name+"_dockersh" || s.Client != "127.0.0.1" || s.Key != "" || time.Since(s.Since) > 2*limit {
		t.Errorf("%+v", s)
	}
	if tty := run(t, "ps", "-o", "tty=", "-p", strconv.Itoa(s.Pid)); tty != s.TTY || !strings.HasPrefix(tty, "pts/") || s.Idle == nil {
		t.Errorf("%+v; ps says %q", s, tty)
	}
	pipe := exec.Command("/usr/bin/ssh", sshArgv(u, "127.0.0.1", "sleep 100")[1:]...)
	if err := pipe.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pipe.Process.Kill(); _ = pipe.Wait() })
	eventually(t, "the second one is listed", func() bool { all = listedOf(t, u); return len(all) == 2 })
	for _, s := range all {
		if s.ID != all[0].ID && s.ID == "" || (s.TTY == "") != (s.Idle == nil) {
			t.Errorf("%+v", s)
		}
	}
	if all[0].TTY != "" && all[1].TTY != "" {
		t.Errorf("one has no terminal: %+v", all)
	}
	if out, _, status := ctl(t, "sessions"); status != 0 || !strings.HasPrefix(out, "ID ") || !strings.Contains(out, s.ID) || !strings.Contains(out, s.TTY) {
		t.Errorf("%d: %q", status, out)
	}
	if out, _, _ := ctl(t, "sessions", "-q"); !strings.Contains("\n"+out, "\n"+s.ID+"\n") {
		t.Errorf("%q", out)
	}
	c.line("exit")
	_ = pipe.Process.Kill()
	eventually(t, "none is listed", func() bool { return len(listedOf(t, u)) == 0 })
}

func TestTheKeyAndTheAddressThatTheSettingsAskForAreListed(t *testing.T) {
	privileged(t, "dockershctl is root's, and looks at root's brokers")
	u := newBoxed(t, "containername = %u-%i")
	live(t, u)
	if all := listedOf(t, u); len(all) != 1 || all[0].Client != "127.0.0.1" || all[0].Container != u.name+"-127.0.0.1" {
		t.Errorf("%+v", all)
	}
	byKey := newBoxed(t, "containername = %u-%k")
	live(t, byKey)
	if all := listedOf(t, byKey); len(all) != 1 || len(all[0].Key) < 40 || all[0].Client != "127.0.0.1" {
		t.Errorf("%+v", all)
	}
}

func TestIdleIsTheTimeSinceSomethingWasTyped(t *testing.T) {
	u := newBoxed(t)
	c := live(t, u)
	// The kernel notes it to 8 seconds.
	eventually(t, "it is idle", func() bool { return *listedOf(t, u)[0].Idle >= 12 })
	c.run("echo typed")
	if idle := *listedOf(t, u)[0].Idle; idle > 9 {
		t.Errorf("idle for %d seconds", idle)
	}
}
