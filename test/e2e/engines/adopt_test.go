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

// created makes a container by hand, until the test ends.
func created(t testing.TB, name string, args ...string) {
	t.Helper()
	e2e.OnHost(t, append([]string{"docker", "create", "--name", name}, args...)...)
	t.Cleanup(func() { _ = e2e.TryDocker("rm", "-f", name) })
}

// adopter is a new user who is given a container made by hand, of the name "hand-"
// and his own.
func adopter(t *testing.T, lines ...string) (u *e2e.Account, container string) {
	t.Helper()
	u = e2e.NewUser(t)
	container = "hand-" + u.Name
	if err := u.Set(append([]string{"containername = " + container, "adopt", "usercwd = /tmp"}, lines...)...); err != nil {
		t.Fatal(err)
	}
	return u, container
}

func TestAdoptedContainerIsStartedAndEnteredAndNotChanged(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	const what = "{{.Id}} {{.Image}} {{.Config}} {{.HostConfig}} {{.Mounts}}"
	before := e2e.Inspect(t, name, what)
	e2e.SSH(t, u, "echo in; id -u").Want(t, fmt.Sprintf("in\n%d\n", u.UID), "", 0)
	// Stopped, it is started again; who was root in it is still there.
	e2e.OnHost(t, "docker", "stop", "-t", "0", name)
	e2e.CanLogIn(t, u)
	c := e2e.SSHConsole(t, u)
	c.FirstPrompt()
	c.Line("exit 3")
	if status := c.Wait(); status != 3 {
		t.Errorf("status %d, want 3", status)
	}
	if after := e2e.Inspect(t, name, what); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	if diff := e2e.OnHost(t, "docker", "diff", name); diff != "" {
		t.Errorf("in its file system: %s", diff)
	}
	if got := e2e.Inspect(t, name, "{{len .ExecIDs}}"); got != "0" {
		t.Errorf("%s programs are left in it", got)
	}
	if len(u.Containers(t)) != 0 {
		t.Error("dockersh made another container")
	}
}

func TestAdoptCreatesNoContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t)
	e2e.SSH(t, u, "true").Refused(t, "there is no container "+name)
	if got := e2e.OnHost(t, "docker", "ps", "-aq", "--filter", "name="+name); got != "" {
		t.Errorf("there is one now: %s", got)
	}
}

func TestPausedAdoptedContainerIsAnErrorNotAHang(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	e2e.CanLogIn(t, u)
	e2e.OnHost(t, "docker", "pause", name)
	r := e2e.SSH(t, u, "true")
	e2e.OnHost(t, "docker", "unpause", name)
	r.Refused(t, "paused")
	e2e.CanLogIn(t, u)
}

func TestContainerThatAUserNamesIsNotAdopted(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := e2e.NewUser(t, "adopt", "enableuserconfig", "enableusercontainername")
	victim := "hand-" + u.Name
	own := fmt.Sprintf("u%d_.%s", u.UID, victim)
	for _, name := range []string{victim, own} {
		created(t, name, "dsh-busybox", "sleep", "infinity")
	}
	u.WriteFile(t, ".dockersh", "[dockersh]\ncontainername = "+victim+"\n", 0o644)
	e2e.SSH(t, u, "true").Refused(t, own)
	u.WriteFile(t, ".dockersh", "[dockersh]\nadopt\n", 0o644)
	e2e.SSH(t, u, "true").Refused(t, "adopt")
	for _, name := range []string{victim, own} {
		if got := e2e.Inspect(t, name, "{{.State.Status}}"); got != "created" {
			t.Errorf("%s is %s now", name, got)
		}
	}
}

func TestContainerWithForeignLabelsIsNotAdopted(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t)
	for _, labels := range [][]string{
		{"--label=dockersh.uid=0", "--label=dockersh.identity=by=0"},
		{"--label=dockersh.uid=0"},
	} {
		e2e.OnHost(t, append(append([]string{"docker", "create", "--name", name}, labels...), "dsh-busybox", "sleep", "infinity")...)
		e2e.SSH(t, u, "true").Refused(t, name)
		if got := e2e.Inspect(t, name, "{{.State.Status}}"); got != "created" {
			t.Errorf("it is %s now", got)
		}
		e2e.OnHost(t, "docker", "rm", "-f", name)
	}
}

func TestContainerUsersOfAnAdoptedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	for spec, want := range map[string]string{"root": "0:0", "games": "5:60", "4711": "4711:4711", "4711:4712": "4711:4712"} {
		u, name := adopter(t, "containerusername = "+spec, "shell = /bin/bash")
		created(t, name, "dsh-debian", "sleep", "infinity")
		if got := e2e.SSH(t, u, "echo $(id -u):$(id -g)"); got.Stdout != want+"\n" || got.Status != 0 {
			t.Errorf("%s: %+v, want %s", spec, got, want)
		}
	}
}

// What the runtime says of a program that is not there it says as the program's
// output: scp and git would take it for data.
func TestMissingShellOfAnAdoptedContainerIsNotOutput(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t, "shell = /bin/nosuch")
	created(t, name, "dsh-busybox", "sleep", "infinity")
	e2e.SSH(t, u, "true").Refused(t, "there is no /bin/nosuch in the container")
	// Not even the one shell that we need.
	v, bare := adopter(t)
	e2e.OnHost(t, "sh", "-c", "mkdir -p /run/bare && cp $(command -v busybox) /run/bare/sleep && tar -C /run/bare -c . | docker import - dsh-bare")
	created(t, bare, "dsh-bare", "/sleep", "1000000")
	e2e.SSH(t, v, "true").Refused(t, "there is no /bin/sh in the container")
	c := e2e.SSHConsole(t, v)
	c.Expect("there is no /bin/sh in the container")
	if status := c.Wait(); status != 255 {
		t.Errorf("status %d", status)
	}
}

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
				continue // ctrl-^ comes with the next: see noDetach
			}
			c.Send(string([]byte{byte(key)}))
			if key%16 == 0 || key == 0x10 || key == 0x11 { // ctrl-p, ctrl-q
				c.Expect(fmt.Sprintf(`(?m)^ +%d\n`, key))
			}
		}
	})
}

// A command that writes on must not run for nobody.
func TestBrokenPipeEndsTheCommandInside(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	e2e.ForEachExecUser(t, func(t *testing.T, u *e2e.Account) {
		out := e2e.OnHost(t, "timeout", "30", "sh", "-c", "su - "+u.Name+" -c 'exec yes stream"+u.Name+"' | head -n 1")
		if out != "stream"+u.Name {
			t.Errorf("%q", out)
		}
		e2e.Eventually(t, "no yes is left running", func() bool { return !e2e.CommandRuns("yes stream" + u.Name) })
	})
}

// A login shell on a terminal that takes no notice of a hang-up would read from
// the terminal for ever: the runtime keeps it open.
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
			_ = syscall.Kill(pid, syscall.SIGKILL) // what ignores a hang-up lives on, as under sshd
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

func TestAdoptedContainerEndsUnderASession(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t)
	for what, argv := range map[string][]string{"stopped": {"stop", "-t", "1"}, "removed": {"rm", "-f"}} {
		created(t, name, "dsh-busybox", "sleep", "infinity")
		c := e2e.LiveSession(t, u)
		e2e.OnHost(t, append(append([]string{"docker"}, argv...), name)...)
		c.Lost(what)
		_ = e2e.TryDocker("rm", "-f", name)
	}
	created(t, name, "dsh-busybox", "sleep", "infinity")
	e2e.CanLogIn(t, u)
}

func TestOutOfMemoryInAnAdoptedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t)
	created(t, name, "--memory=32m", "--memory-swap=32m", "dsh-busybox", "sleep", "infinity")
	r := e2e.SSH(t, u, `exec sh -c 'x=0123456789abcdef; while :; do x=$x$x; done'`)
	if r.Status != 137 || !strings.Contains(r.Stderr, "out of memory") {
		t.Errorf("%q, %d", r.Stderr, r.Status)
	}
	e2e.CanLogIn(t, u)
}

func TestManySessionsInAnAdoptedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	answers := make(chan e2e.Result)
	for i := range 8 {
		go func() { r, _ := e2e.TrySSH(u, nil, fmt.Sprintf("echo %d; exit %d", i, i)); answers <- r }()
	}
	for range 8 {
		if r := <-answers; r.Stdout != fmt.Sprintf("%d\n", r.Status) || r.Stderr != "" {
			t.Errorf("%+v", r)
		}
	}
	e2e.Eventually(t, "no bridge is left", func() bool { return len(e2e.Bridges()) == 0 })
}

// The engine carries the session: without it there is none. What ran in it is
// hung up as soon as the engine is back.
func TestEngineKilledUnderAnAdoptedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	c := e2e.LiveSession(t, u)
	mark := fmt.Sprintf("sleep %d66", u.UID)
	c.Line(mark)
	e2e.Eventually(t, "the command runs", func() bool { return e2e.CommandRuns(mark) })
	e2e.DockerDaemon(t, "kill")
	c.Lost("engine")
	e2e.DockerDaemon(t, "start")
	e2e.Eventually(t, "the command is hung up", func() bool { return !e2e.CommandRuns(mark) })
	e2e.Eventually(t, "a login works again", func() bool { return e2e.SSH(t, u, "echo works").Stdout == "works\n" })
}

func TestKilledBridgeEndsTheSessionWithOneLine(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	c := e2e.LiveSession(t, u)
	for _, pid := range e2e.Bridges() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	c.Lost("was killed")
	e2e.CanLogIn(t, u)
}

// The bridge has the broker's rights: nothing of a user's is open to it, and no
// descriptor of the broker's is.
func TestBridgeHasNothingOpenButItsSession(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	c := e2e.LiveSession(t, u)
	e2e.BridgeHasOnly(t)
	c.Line("exit")
	c.Wait()
	if !e2e.Within(time.Minute, func() bool { return len(e2e.Bridges()) == 0 }) {
		t.Error("the bridge is left")
	}
}

// A front may be anybody's program.
func TestBridgeEndsOnAnUnexpectedMessage(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
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
			t.Errorf("%s: it goes on", what)
			_ = cmd.Process.Kill()
		}
		conn.Close()
		if last != c.want {
			t.Errorf("%s: the last answer is %d, want %d", what, last, c.want)
		}
	}
	e2e.Eventually(t, "no session is left", func() bool { return !e2e.CommandRuns("sleep " + fmt.Sprint(u.UID) + "55") })
}

func TestExplainDescribesAnAdoptedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := adopter(t)
	explain := func() string { return e2e.OnHost(t, e2e.Prefix+"/bin/dockershctl", "explain", u.Name) }
	if out := explain(); !strings.Contains(out, name+" (absent)") || !strings.Contains(out, "logins are refused") || strings.Contains(out, "made with") {
		t.Error(out)
	}
	created(t, name, "dsh-busybox", "sleep", "infinity")
	if out := explain(); !strings.Contains(out, name+" (created)") || !strings.Contains(out, "made by hand") || strings.Contains(out, "made with") {
		t.Error(out)
	}
	if out := e2e.OnHost(t, e2e.Prefix+"/bin/dockershctl", "ls"); strings.Contains(out, name) {
		t.Errorf("ls lists what dockersh did not make:\n%s", out)
	}
}
