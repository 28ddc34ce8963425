//go:build e2e

package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestKickEndsTheNamedSessionAndNoOther(t *testing.T) {
	u := newBoxed(t)
	first := live(t, u)
	id := listedOf(t, u)[0].ID
	second := live(t, u)
	first.line("sleep 54321")
	eventually(t, "it runs", func() bool { return argsRun("sleep 54321") })
	if out := ctlDone(t, "kick", id); out != id+"  "+u.name+"  "+u.name+"_dockersh: ended\n" {
		t.Errorf("%q", out)
	}
	first.wait()
	if !strings.Contains(first.shown(), "the administrator ends this session") {
		t.Errorf("no word of it: %q", first.shown())
	}
	eventually(t, "what ran in it is hung up", func() bool { return !argsRun("sleep 54321") })
	if got := second.run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	if all := listedOf(t, u); len(all) != 1 || all[0].ID == id {
		t.Errorf("%+v", all)
	}
	if out, errs, status := ctl(t, "kick", id); status != 1 || out != "" || !strings.HasPrefix(errs, "dockershctl: error: no live session is "+id) {
		t.Errorf("%d %q %q", status, out, errs)
	}
	if out := ctlDone(t, "kick", u.name+"_dockersh"); !strings.HasSuffix(out, ": ended\n") {
		t.Errorf("%q", out)
	}
	second.wait()
	if out := ctlDone(t, "kick", "--user", u.name); out != "no sessions\n" {
		t.Errorf("%q", out)
	}
	works(t, u)
}

// A login shell that somebody stopped hears of a signal all the same.
func TestKickEndsAStoppedLoginShell(t *testing.T) {
	u, other := newBoxed(t), newBoxed(t)
	c, bystander := live(t, u), live(t, other)
	if err := syscall.Kill(listedOf(t, u)[0].Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if out := ctlDone(t, "kick", "--user", u.name); !strings.HasSuffix(out, ": ended\n") {
		t.Errorf("%q after %v", out, time.Since(begin))
	}
	c.wait()
	if got := bystander.run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
}

func TestAMessageIsOnTheUsersTerminalAndOnNoOther(t *testing.T) {
	u, other := newBoxed(t), newBoxed(t)
	c, bystander := live(t, u), live(t, other)
	pid := listedOf(t, u)[0].Pid
	if out := ctlDone(t, "message", "--user", u.name, "reboot \x1b[2Jat\nfive\u202e"); out != "told 1 session\n" {
		t.Errorf("%q", out)
	}
	c.expect("\r\ndockersh: reboot \\[2Jat five\r\n")
	if got := c.run("echo as before"); got != "as before" {
		t.Errorf("%q", got)
	}
	bystander.run("echo quiet")
	if strings.Contains(bystander.shown(), "reboot") {
		t.Errorf("others see it: %q", bystander.shown())
	}
	// A client that reads no more keeps nobody waiting.
	_ = c.cmd.Process.Signal(syscall.SIGSTOP)
	begin := time.Now()
	for range 3 {
		ctl(t, "message", "--user", u.name, strings.Repeat("x", 1000))
	}
	if took := time.Since(begin); took > limit {
		t.Errorf("it took %v", took)
	}
	_ = c.cmd.Process.Signal(syscall.SIGCONT)
	if now := listedOf(t, u); len(now) != 1 || now[0].Pid != pid {
		t.Errorf("%+v", now)
	}
	if _, errs, status := ctl(t, "message", "--user", u.name, "\x1b"); status != 2 || !strings.Contains(errs, "the text has 1 to") {
		t.Errorf("%d %q", status, errs)
	}
}

// What a user's process has open is not written to because it is there.
func TestAMessageIsForTerminalsOnly(t *testing.T) {
	privileged(t, "dockershctl is root's, and looks at root's brokers")
	u := newBoxed(t)
	c := newConsole(t, 24, 80, "/usr/bin/setpriv", "--reuid", u.name, "--regid", u.name, "--init-groups", "--",
		"/bin/sh", "-c", "exec "+front+" -c 'echo up; sleep 100' </etc/passwd >/dev/null 2>/dev/null")
	_ = c
	eventually(t, "it is in", func() bool { return len(listedOf(t, u)) == 1 })
	before := run(t, "cat", "/etc/passwd")
	if out := ctlDone(t, "message", "--user", u.name, "hello"); out != "told 0 sessions; 1 session without a terminal\n" {
		t.Errorf("%q", out)
	}
	if run(t, "cat", "/etc/passwd") != before {
		t.Error("it was written to")
	}
	ctlDone(t, "kick", "--user", u.name)
}
