//go:build e2e

package engines

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/test/e2e"
)

func TestDeathBySignalOverExecIsAnExitCode(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	e2e.ForEachExecUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.SSH(t, u, "kill -9 $$").Want(t, "", "", 137)
		e2e.SSH(t, u, "kill -TERM $$; sleep 1").Want(t, "", "", 143)
		e2e.SSH(t, u, "exit 137").Want(t, "", "", 137)
	})
}

func TestEveryKeyArrivesAtOnce(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	e2e.ForEachExecUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.SSHConsole(t, u, "stty raw -echo; echo go; while :; do dd bs=1 count=1 2>/dev/null | od -An -tu1; done")
		c.Expect("go\n")
		for key := 1; key < 256; key++ {
			if key == 0x1e {
				continue // ctrl-^ comes with the next key
			}
			c.Send(string([]byte{byte(key)}))
			if key%16 == 0 || key == 0x10 || key == 0x11 { // ctrl-p, ctrl-q
				c.Expect(fmt.Sprintf(`(?m)^ +%d\n`, key))
			}
		}
	})
}

// A command that goes on writing must not go on for nobody.
func TestBrokenPipeEndsTheCommandInside(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	e2e.ForEachExecUser(t, func(t *testing.T, u *e2e.Account) {
		out := e2e.OnHost(t, "timeout", "30", "sh", "-c", "su - "+u.Name+" -c 'exec yes stream"+u.Name+"' | head -n 1")
		if out != "stream"+u.Name {
			t.Errorf("%q", out)
		}
		e2e.Eventually(t, "no yes is left", func() bool { return !e2e.CommandRuns("yes stream" + u.Name) })
	})
}

// A login shell that ignores a hang-up would read from the terminal for ever, since the
// runtime keeps it open.
func TestNoShellIsLeftOnATerminalAfterAHangUp(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	e2e.ForEachExecUser(t, func(t *testing.T, u *e2e.Account) {
		mark := fmt.Sprintf("trap '' HUP; sleep %d77", u.UID)
		c := e2e.NewConsole(t, 24, 80, e2e.SSHArgv(u, "-tt", "127.0.0.1", "trap '' HUP; sleep "+fmt.Sprint(u.UID)+"77; cat")...)
		sleeps := func() bool { return e2e.CommandRuns(fmt.Sprintf("sleep %d77", u.UID)) }
		e2e.Eventually(t, "the command runs", sleeps)
		_ = c.Cmd.Process.Kill()
		shell := func() bool {
			return len(e2e.PidsOf(func(_ int, args string) bool {
				return strings.Contains(args, "-c "+mark) && !strings.Contains(args, "ssh")
			})) > 0
		}
		e2e.Eventually(t, "the shell is ended", func() bool { return !shell() })
		for _, pid := range e2e.PidsOf(func(_ int, args string) bool { return args == fmt.Sprintf("sleep %d77", u.UID) }) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // what ignores a hang-up lives on, as with sshd
		}
	})
}

func TestKilledFrontHangsUpAnExecSession(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	e2e.ForEachExecUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.LiveSession(t, u)
		mark := fmt.Sprintf("sleep %d88", u.UID)
		c.Line(mark)
		e2e.Eventually(t, "the command runs", func() bool { return e2e.CommandRuns(mark) })
		if err := syscall.Kill(e2e.ProcessOf(t, u, e2e.Front), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		e2e.Eventually(t, "the command is hung up", func() bool { return !e2e.CommandRuns(mark) })
		e2e.Eventually(t, "no bridge is left", func() bool { return len(e2e.Bridges()) == 0 })
	})
}

func TestExecSessionOutlivesTheBroker(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	e2e.ForEachExecUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.LiveSession(t, u)
		back := e2e.Broker.Away(t, syscall.SIGKILL)
		got := c.Run("echo still here")
		back()
		if got != "still here" {
			t.Errorf("%q", got)
		}
		e2e.CanLogIn(t, u)
		c.Line("exit 6")
		if status := c.Wait(); status != 6 {
			t.Errorf("status %d, want 6", status)
		}
	})
}

func TestKilledBridgeEndsTheSessionWithOneLine(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t)
	createByHand(t, name, "dsh-busybox", "sleep", "infinity")
	c := e2e.LiveSession(t, u)
	for _, pid := range e2e.Bridges() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	c.Lost("was killed")
	e2e.CanLogIn(t, u)
}

// The bridge has the broker's rights, so it must have nothing open of the user or of the
// broker.
func TestBridgeHasNothingOpenButItsSession(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t)
	createByHand(t, name, "dsh-busybox", "sleep", "infinity")
	c := e2e.LiveSession(t, u)
	e2e.BridgeHasOnly(t)
	c.Line("exit")
	c.Wait()
	if !e2e.Within(time.Minute, func() bool { return len(e2e.Bridges()) == 0 }) {
		t.Error("a bridge is left")
	}
}

// The front may be any program.
func TestBridgeEndsOnAnUnexpectedMessage(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t)
	createByHand(t, name, "dsh-busybox", "sleep", "infinity")
	e2e.CanLogIn(t, u)
	task := &wire.Bridge{Engine: "/var/run/docker.sock", Container: e2e.Inspect(t, name, "{{.Id}}"), UID: uint32(u.UID), GID: uint32(u.GID), User: u.Name, Home: "/"}
	start := &wire.Start{Terminal: true, Path: "/bin/sh", Argv: []string{"sh", "-c", "sleep " + fmt.Sprint(u.UID) + "55"}}
	for what, c := range map[string]struct {
		say  []wire.Message
		want wire.Kind // of the last answer
	}{
		"not its task":            {[]wire.Message{start}, 0},
		"nothing":                 {nil, 0},
		"a second task":           {[]wire.Message{task, task}, wire.KindHello},
		"no program":              {[]wire.Message{task, &wire.Start{Terminal: true}}, wire.KindError},
		"a second start":          {[]wire.Message{task, start, start}, wire.KindStarted},
		"another container's end": {[]wire.Message{task, start, &wire.Exit{}}, wire.KindStarted},
	} {
		pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		theirs := os.NewFile(uintptr(pair[1]), "socket")
		cmd := exec.Command(e2e.Bridge)
		cmd.Stdin, cmd.SysProcAttr = theirs, &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		theirs.Close()
		conn, err := channel.New(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		conn.Within(e2e.Limit)
		var last wire.Kind
		for _, m := range c.say {
			if err := conn.Send(m); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if m, _, err := conn.Recv(); err == nil {
				last = m.Kind()
			}
		}
		if len(c.say) == 0 {
			conn.Close()
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case <-ended:
		case <-time.After(e2e.Limit):
			t.Errorf("%s: the bridge goes on", what)
			_ = cmd.Process.Kill()
		}
		conn.Close()
		if last != c.want {
			t.Errorf("%s: the last answer is %d, want %d", what, last, c.want)
		}
	}
	e2e.Eventually(t, "no session is left", func() bool { return !e2e.CommandRuns("sleep " + fmt.Sprint(u.UID) + "55") })
}
