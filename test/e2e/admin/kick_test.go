//go:build e2e

package admin

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestKickEndsTheNamedSessionAndNoOther(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	first := e2e.LiveSession(t, u)
	id := listedOf(t, u)[0].ID
	second := e2e.LiveSession(t, u)
	first.Line("sleep 54321")
	e2e.Eventually(t, "it runs", func() bool { return e2e.CommandRuns("sleep 54321") })
	if out := e2e.MustCtl(t, "kick", id); out != id+"  "+u.Name+"  "+u.Name+"_dockersh: ended\n" {
		t.Errorf("%q", out)
	}
	first.Wait()
	if !strings.Contains(first.Shown(), "the administrator ends this session") {
		t.Errorf("the user is not told: %q", first.Shown())
	}
	e2e.Eventually(t, "its command is hung up", func() bool { return !e2e.CommandRuns("sleep 54321") })
	if got := second.Run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	if all := listedOf(t, u); len(all) != 1 || all[0].ID == id {
		t.Errorf("%+v", all)
	}
	if out, errs, status := e2e.Ctl(t, "kick", id); status != 1 || out != "" || !strings.HasPrefix(errs, "dockershctl: error: no live session has the id "+id) {
		t.Errorf("%d %q %q", status, out, errs)
	}
	if out := e2e.MustCtl(t, "kick", u.Name+"_dockersh"); !strings.HasSuffix(out, ": ended\n") {
		t.Errorf("%q", out)
	}
	second.Wait()
	if out := e2e.MustCtl(t, "kick", "--user", u.Name); out != "no sessions\n" {
		t.Errorf("%q", out)
	}
	e2e.CanLogIn(t, u)
}

// A stopped login shell is ended as well.
func TestKickEndsAStoppedLoginShell(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u, other := e2e.NewUser(t), e2e.NewUser(t)
	c, bystander := e2e.LiveSession(t, u), e2e.LiveSession(t, other)
	if err := syscall.Kill(listedOf(t, u)[0].Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if out := e2e.MustCtl(t, "kick", "--user", u.Name); !strings.HasSuffix(out, ": ended\n") {
		t.Errorf("%q after %v", out, time.Since(begin))
	}
	c.Wait()
	if got := bystander.Run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
}

func TestMessageReachesTheUsersTerminalAndNoOther(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u, other := e2e.NewUser(t), e2e.NewUser(t)
	c, bystander := e2e.LiveSession(t, u), e2e.LiveSession(t, other)
	pid := listedOf(t, u)[0].Pid
	if out := e2e.MustCtl(t, "message", "--user", u.Name, "reboot \x1b[2Jat\nfive\u202e"); out != "sent to 1 session\n" {
		t.Errorf("%q", out)
	}
	c.Expect("\r\ndockersh: reboot \\[2Jat five\r\n")
	if got := c.Run("echo as before"); got != "as before" {
		t.Errorf("%q", got)
	}
	bystander.Run("echo quiet")
	if strings.Contains(bystander.Shown(), "reboot") {
		t.Errorf("other users see it: %q", bystander.Shown())
	}
	// A client that does not read delays nobody.
	_ = c.Cmd.Process.Signal(syscall.SIGSTOP)
	begin := time.Now()
	for range 3 {
		e2e.Ctl(t, "message", "--user", u.Name, strings.Repeat("x", 1000))
	}
	if took := time.Since(begin); took > e2e.Limit {
		t.Errorf("it took %v", took)
	}
	_ = c.Cmd.Process.Signal(syscall.SIGCONT)
	if now := listedOf(t, u); len(now) != 1 || now[0].Pid != pid {
		t.Errorf("%+v", now)
	}
	if _, errs, status := e2e.Ctl(t, "message", "--user", u.Name, "\x1b"); status != 2 || !strings.Contains(errs, "the text has 1 to") {
		t.Errorf("%d %q", status, errs)
	}
}

// Files that a session has open are not terminals.
func TestMessageIsWrittenToTerminalsOnly(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "dockershctl finds the state of root brokers only")
	u := e2e.NewUser(t)
	c := e2e.NewConsole(t, 24, 80, "/usr/bin/setpriv", "--reuid", u.Name, "--regid", u.Name, "--init-groups", "--",
		"/bin/sh", "-c", "exec "+e2e.Front+" -c 'echo up; sleep 100' </etc/passwd >/dev/null 2>/dev/null")
	_ = c
	e2e.Eventually(t, "the session is listed", func() bool { return len(listedOf(t, u)) == 1 })
	before := e2e.OnHost(t, "cat", "/etc/passwd")
	if out := e2e.MustCtl(t, "message", "--user", u.Name, "hello"); out != "sent to 0 sessions; 1 session without a terminal\n" {
		t.Errorf("%q", out)
	}
	if e2e.OnHost(t, "cat", "/etc/passwd") != before {
		t.Error("/etc/passwd was written to")
	}
	e2e.MustCtl(t, "kick", "--user", u.Name)
}
