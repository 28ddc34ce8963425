//go:build e2e

package admin

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// runtimeDir makes the runtime directory of a user, as pam_systemd does.
func runtimeDir(t *testing.T, u *e2e.Account) string {
	t.Helper()
	dir := "/run/user/" + strconv.Itoa(u.UID)
	e2e.OnHost(t, "install", "-d", "-m", "700", "-o", strconv.Itoa(u.UID), dir)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// ctlInTime is e2e.Ctl for a command that may hang.
func ctlInTime(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, e2e.CtlPath, args...).CombinedOutput()
	if ctx.Err() != nil {
		t.Errorf("dockershctl %q hangs: %q, %v", args, out, err)
	}
	return string(out)
}

// open(2) waits for a writer of a FIFO. Not even ctrl-C ended that.
func TestFIFOInAUsersDirectoryHangsNoCommand(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	victim := e2e.NewUser(t)
	e2e.CanLogIn(t, victim)
	name := victim.Name + "_dockersh"
	a := e2e.NewAccount(t, "/bin/bash")
	place := runtimeDir(t, a) + "/dockersh"
	// A process, without which nobody has a session.
	in, _ := e2e.StartPiped(t, e2e.AsUser(a, "sh", "-c", "mkdir -m 700 "+place+" && mkfifo "+place+"/s && read x"))
	t.Cleanup(func() { _ = in.Close() })
	e2e.Eventually(t, "the FIFO is there", func() bool { _, err := os.Lstat(place + "/s"); return err == nil })
	for _, args := range [][]string{{"ls"}, {"sessions"}, {"kick", name}, {"message", name, "hello"}, {"restart", name}, {"stop", name}, {"start", name}, {"reset", "--yes", name}, {"rm", "--yes", "no-such"}} {
		ctlInTime(t, args...)
	}
	e2e.CanLogIn(t, victim)
}

// A user with a shell of the host says that they are in another user's container.
func TestUsersOwnEntriesSayNothingOfContainersOfOthers(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	victim := e2e.NewUser(t)
	e2e.CanLogIn(t, victim)
	name := victim.Name + "_dockersh"
	a := e2e.NewAccount(t, "/bin/bash")
	place := runtimeDir(t, a) + "/dockersh"
	uid := strconv.Itoa(a.UID)
	c := e2e.NewConsole(t, 24, 80, "setpriv", "--reuid", a.Name, "--regid", strconv.Itoa(a.GID), "--clear-groups", "sh", "-c", `
		mkdir -m 700 `+place+`; mkdir `+place+`/s
		start=$(cut -d' ' -f22 /proc/$$/stat)
		ln -s "1700000000	x		" `+place+`/s/`+uid+`.$$.$start.abcdefghijkl.`+name+`
		ln -s "1700000000	x		" `+place+`/s/`+uid+`.$$.$start.`+name+`.c1
		ln -s "999999999999	x		" `+place+`/s/`+uid+`.$$.$start.mnopqrstuvwx.c1
		echo ready; read x`)
	c.Expect("ready")
	for line := range strings.Lines(ctlInTime(t, "ls")) {
		if f := strings.Fields(line); len(f) > 0 && f[0] == name && f[len(f)-1] != "0" {
			t.Errorf("ls counts a session that is not there: %s", line)
		}
	}
	if out := ctlInTime(t, "sessions"); !strings.Contains(out, " "+name+"? ") || strings.Contains(out, " "+name+" ") ||
		!strings.Contains(out, "2 session entries that no broker wrote left out, of "+a.Name+"\n") {
		t.Errorf("sessions: %q", out)
	}
	if out, _, status := e2e.Ctl(t, "sessions", "--json"); status != 0 || strings.Count(out, a.Name) != 1 {
		t.Errorf("sessions --json: %d %q", status, out)
	}
	for _, args := range [][]string{{"message", name, "the password is xyzzy"}, {"kick", name}} {
		if out := ctlInTime(t, args...); !strings.Contains(out, "no live session") {
			t.Errorf("dockershctl %s: %q", args[0], out)
		}
	}
	start := time.Now()
	if out := ctlInTime(t, "stop", name); !strings.Contains(out, "stopped\n") || time.Since(start) > 5*time.Second {
		t.Errorf("stop: %q after %v", out, time.Since(start))
	}
	if out := ctlInTime(t, "rm", "--yes", name); !strings.Contains(out, "removed\n") {
		t.Errorf("rm: %q", out)
	}
	// What it may say is of the user.
	ctlInTime(t, "message", "--user", a.Name, "for you")
	c.Expect("for you")
	if strings.Contains(c.Shown(), "xyzzy") {
		t.Error("the user got what was meant for others")
	}
}
