//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// created makes a container by hand, for the length of the test.
func created(t testing.TB, name string, args ...string) {
	t.Helper()
	run(t, append([]string{"docker", "create", "--name", name}, args...)...)
	t.Cleanup(func() { _ = tryDocker("rm", "-f", name) })
}

// adopter is a new user who is given a container made by hand, of the name "hand-"
// and his own.
func adopter(t *testing.T, lines ...string) (u *account, container string) {
	t.Helper()
	u = newBoxed(t)
	container = "hand-" + u.name
	if err := u.set(append([]string{"containername = " + container, "adopt", "usercwd = /tmp"}, lines...)...); err != nil {
		t.Fatal(err)
	}
	return u, container
}

func TestAContainerMadeByHandIsStartedAndEnteredAndLeftAlone(t *testing.T) {
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	const what = "{{.Id}} {{.Image}} {{.Config}} {{.HostConfig}} {{.Mounts}}"
	before := inspect(t, name, what)
	ssh(t, u, "echo in; id -u").want(t, fmt.Sprintf("in\n%d\n", u.uid), "", 0)
	// Stopped, it is started again; who was root in it is still there.
	run(t, "docker", "stop", "-t", "0", name)
	works(t, u)
	c := sshConsole(t, u)
	c.login()
	c.line("exit 3")
	if status := c.wait(); status != 3 {
		t.Errorf("status %d, want 3", status)
	}
	if after := inspect(t, name, what); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	if diff := run(t, "docker", "diff", name); diff != "" {
		t.Errorf("in its file system: %s", diff)
	}
	if got := inspect(t, name, "{{len .ExecIDs}}"); got != "0" {
		t.Errorf("%s programs are left in it", got)
	}
	if len(u.containers(t)) != 0 {
		t.Error("dockersh made another container")
	}
}

func TestAdoptMakesNoContainer(t *testing.T) {
	u, name := adopter(t)
	ssh(t, u, "true").refused(t, "there is no container "+name)
	if got := run(t, "docker", "ps", "-aq", "--filter", "name="+name); got != "" {
		t.Errorf("there is one now: %s", got)
	}
}

func TestAPausedContainerMadeByHandIsAnErrorNotAHang(t *testing.T) {
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	works(t, u)
	run(t, "docker", "pause", name)
	r := ssh(t, u, "true")
	run(t, "docker", "unpause", name)
	r.refused(t, "paused")
	works(t, u)
}

func TestWhatAUserNamesIsNotAdopted(t *testing.T) {
	u := newBoxed(t, "adopt", "enableuserconfig", "enableusercontainername")
	victim := "hand-" + u.name
	own := fmt.Sprintf("u%d_.%s", u.uid, victim)
	for _, name := range []string{victim, own} {
		created(t, name, "dsh-busybox", "sleep", "infinity")
	}
	u.file(t, ".dockersh", "[dockersh]\ncontainername = "+victim+"\n", 0o644)
	ssh(t, u, "true").refused(t, own)
	u.file(t, ".dockersh", "[dockersh]\nadopt\n", 0o644)
	ssh(t, u, "true").refused(t, "adopt")
	for _, name := range []string{victim, own} {
		if got := inspect(t, name, "{{.State.Status}}"); got != "created" {
			t.Errorf("%s is %s now", name, got)
		}
	}
}

func TestAContainerThatCarriesAnothersLabelsIsNotAdopted(t *testing.T) {
	u, name := adopter(t)
	for _, labels := range [][]string{
		{"--label=dockersh.uid=0", "--label=dockersh.identity=by=0"},
		{"--label=dockersh.uid=0"},
	} {
		run(t, append(append([]string{"docker", "create", "--name", name}, labels...), "dsh-busybox", "sleep", "infinity")...)
		ssh(t, u, "true").refused(t, name)
		if got := inspect(t, name, "{{.State.Status}}"); got != "created" {
			t.Errorf("it is %s now", got)
		}
		run(t, "docker", "rm", "-f", name)
	}
}

func TestTheUsersOfAnAdoptedContainer(t *testing.T) {
	for spec, want := range map[string]string{"root": "0:0", "games": "5:60", "4711": "4711:4711", "4711:4712": "4711:4712"} {
		u, name := adopter(t, "containerusername = "+spec, "shell = /bin/bash")
		created(t, name, "dsh-debian", "sleep", "infinity")
		if got := ssh(t, u, "echo $(id -u):$(id -g)"); got.stdout != want+"\n" || got.status != 0 {
			t.Errorf("%s: %+v, want %s", spec, got, want)
		}
	}
}

// What the runtime says of a program that is not there it says as the program's
// output: scp and git would take it for data.
func TestMissingShellOfAnAdoptedContainerIsNotOutput(t *testing.T) {
	u, name := adopter(t, "shell = /bin/nosuch")
	created(t, name, "dsh-busybox", "sleep", "infinity")
	ssh(t, u, "true").refused(t, "there is no /bin/nosuch in the container")
	// Not even the one shell that we need.
	v, bare := adopter(t)
	run(t, "sh", "-c", "mkdir -p /run/bare && cp $(command -v busybox) /run/bare/sleep && tar -C /run/bare -c . | docker import - dsh-bare")
	created(t, bare, "dsh-bare", "/sleep", "1000000")
	ssh(t, v, "true").refused(t, "there is no /bin/sh in the container")
	c := sshConsole(t, v)
	c.expect("there is no /bin/sh in the container")
	if status := c.wait(); status != 255 {
		t.Errorf("status %d", status)
	}
}

func TestDeathBySignalOverTheStreamIsACode(t *testing.T) {
	eachStreamed(t, func(t *testing.T, u *account) {
		ssh(t, u, "kill -9 $$").want(t, "", "", 137)
		ssh(t, u, "kill -TERM $$; sleep 1").want(t, "", "", 143)
		ssh(t, u, "exit 137").want(t, "", "", 137)
	})
}

func TestEveryKeyArrivesAtOnce(t *testing.T) {
	eachStreamed(t, func(t *testing.T, u *account) {
		c := sshConsole(t, u, "stty raw -echo; echo go; while :; do dd bs=1 count=1 2>/dev/null | od -An -tu1; done")
		c.expect("go\n")
		for key := 1; key < 256; key++ {
			if key == 0x1e {
				continue // ctrl-^ comes with the next: see noDetach
			}
			c.send(string([]byte{byte(key)}))
			if key%16 == 0 || key == 0x10 || key == 0x11 { // ctrl-p, ctrl-q
				c.expect(fmt.Sprintf(`(?m)^ +%d\n`, key))
			}
		}
	})
}

// A command that writes on must not run for nobody.
func TestBrokenPipeEndsTheCommandInside(t *testing.T) {
	eachStreamed(t, func(t *testing.T, u *account) {
		out := run(t, "timeout", "30", "sh", "-c", "su - "+u.name+" -c 'exec yes stream"+u.name+"' | head -n 1")
		if out != "stream"+u.name {
			t.Errorf("%q", out)
		}
		eventually(t, "no yes is left running", func() bool { return !argsRun("yes stream" + u.name) })
	})
}

// A login shell on a terminal that takes no notice of a hang-up would read from
// the terminal for ever: the runtime keeps it open.
func TestNobodyIsLeftOnATerminal(t *testing.T) {
	eachStreamed(t, func(t *testing.T, u *account) {
		mark := fmt.Sprintf("trap '' HUP; sleep %d77", u.uid)
		c := newConsole(t, 24, 80, sshArgv(u, "-tt", "127.0.0.1", "trap '' HUP; sleep "+fmt.Sprint(u.uid)+"77; cat")...)
		sleeps := func() bool { return argsRun(fmt.Sprintf("sleep %d77", u.uid)) }
		eventually(t, "the command runs", sleeps)
		_ = c.cmd.Process.Kill()
		shell := func() bool {
			return len(pidsOf(func(_ int, args string) bool {
				return strings.Contains(args, "-c "+mark) && !strings.Contains(args, "ssh")
			})) > 0
		}
		eventually(t, "the shell is ended", func() bool { return !shell() })
		for _, pid := range pidsOf(func(_ int, args string) bool { return args == fmt.Sprintf("sleep %d77", u.uid) }) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // what ignores a hang-up lives on, as under sshd
		}
	})
}

func TestFrontKilledHangsTheStreamedSessionUp(t *testing.T) {
	eachStreamed(t, func(t *testing.T, u *account) {
		c := live(t, u)
		mark := fmt.Sprintf("sleep %d88", u.uid)
		c.line(mark)
		eventually(t, "the command runs", func() bool { return argsRun(mark) })
		if err := syscall.Kill(processOf(t, u, front), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		c.wait()
		eventually(t, "the command is hung up", func() bool { return !argsRun(mark) })
		eventually(t, "no bridge is left", func() bool { return !runsProgram(bridge) })
	})
}

// bridge is the program that carries such a session.
const bridge = prefix + "/libexec/dockersh-bridge"

// bridges are the processes that carry sessions.
func bridges() []int { return pidsOfProgram(bridge) }

func runsProgram(path string) bool { return len(pidsOfProgram(path)) > 0 }

func pidsOfProgram(path string) []int {
	return pidsOf(func(pid int, _ string) bool {
		exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		return exe == path
	})
}

func TestStreamedSessionOutlivesTheBroker(t *testing.T) {
	eachStreamed(t, func(t *testing.T, u *account) {
		c := live(t, u)
		back := broker.away(t, syscall.SIGKILL)
		got := c.run("echo still here")
		back()
		if got != "still here" {
			t.Errorf("%q", got)
		}
		works(t, u)
		c.line("exit 6")
		if status := c.wait(); status != 6 {
			t.Errorf("status %d, want 6", status)
		}
	})
}

func TestAdoptedContainerEndsUnderASession(t *testing.T) {
	u, name := adopter(t)
	for what, argv := range map[string][]string{"stopped": {"stop", "-t", "1"}, "removed": {"rm", "-f"}} {
		created(t, name, "dsh-busybox", "sleep", "infinity")
		c := live(t, u)
		run(t, append(append([]string{"docker"}, argv...), name)...)
		c.lost(what)
		_ = tryDocker("rm", "-f", name)
	}
	created(t, name, "dsh-busybox", "sleep", "infinity")
	works(t, u)
}

func TestOutOfMemoryInAnAdoptedContainer(t *testing.T) {
	u, name := adopter(t)
	created(t, name, "--memory=32m", "--memory-swap=32m", "dsh-busybox", "sleep", "infinity")
	r := ssh(t, u, `exec sh -c 'x=0123456789abcdef; while :; do x=$x$x; done'`)
	if r.status != 137 || !strings.Contains(r.stderr, "out of memory") {
		t.Errorf("%q, %d", r.stderr, r.status)
	}
	works(t, u)
}

func TestManySessionsInAnAdoptedContainer(t *testing.T) {
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	answers := make(chan result)
	for i := range 8 {
		go func() { r, _ := trySSH(u, nil, fmt.Sprintf("echo %d; exit %d", i, i)); answers <- r }()
	}
	for range 8 {
		if r := <-answers; r.stdout != fmt.Sprintf("%d\n", r.status) || r.stderr != "" {
			t.Errorf("%+v", r)
		}
	}
	eventually(t, "no bridge is left", func() bool { return !runsProgram(bridge) })
}

// The engine carries the session: without it there is none. What ran in it is
// hung up as soon as the engine is back.
func TestEngineKilledUnderAnAdoptedContainer(t *testing.T) {
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	c := live(t, u)
	mark := fmt.Sprintf("sleep %d66", u.uid)
	c.line(mark)
	eventually(t, "the command runs", func() bool { return argsRun(mark) })
	engine(t, "kill")
	c.lost("engine")
	engine(t, "start")
	eventually(t, "the command is hung up", func() bool { return !argsRun(mark) })
	eventually(t, "a login works again", func() bool { return ssh(t, u, "echo works").stdout == "works\n" })
}

func TestBridgeKilled(t *testing.T) {
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	c := live(t, u)
	for _, pid := range bridges() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	c.lost("was killed")
	works(t, u)
}

// The bridge has the broker's rights: nothing of a user's is open to it, and no
// descriptor of the broker's is.
func TestTheBridgeHasNothingButItsSession(t *testing.T) {
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	c := live(t, u)
	bridgeHasOnly(t)
	c.line("exit")
	c.wait()
	if !within(time.Minute, func() bool { return !runsProgram(bridge) }) {
		t.Error("the bridge is left")
	}
}

// bridgeHasOnly asserts that the one bridge that runs has nothing but its session,
// and files of these names.
func bridgeHasOnly(t *testing.T, files ...string) {
	t.Helper()
	pids := bridges()
	if len(pids) != 1 {
		t.Fatalf("%d bridges", len(pids))
	}
	proc := fmt.Sprintf("/proc/%d/", pids[0])
	if env, err := os.ReadFile(proc + "environ"); err != nil || len(env) > 0 {
		t.Errorf("environment %q, %v", env, err)
	}
	if cwd, _ := os.Readlink(proc + "cwd"); cwd != "/" {
		t.Errorf("directory %s", cwd)
	}
	fds, _ := os.ReadDir(proc + "fd")
	for _, fd := range fds {
		to, _ := os.Readlink(proc + "fd/" + fd.Name())
		switch {
		case slices.Contains(files, to):
		case strings.HasPrefix(to, "socket:"), strings.HasPrefix(to, "anon_inode:"), to == "/dev/null", strings.HasPrefix(to, "/dev/pts/"),
			strings.HasPrefix(to, "/sys/fs/cgroup/"), // Go's runtime: how many processors it may use
			strings.HasSuffix(to, "/dockershd.log"):
		default:
			t.Errorf("descriptor %s is %s", fd.Name(), to)
		}
	}
}

// A front may be anybody's program.
func TestTheBridgeEndsAtWhatItDoesNotExpect(t *testing.T) {
	u, name := adopter(t)
	created(t, name, "dsh-busybox", "sleep", "infinity")
	works(t, u)
	task := &wire.Bridge{Engine: "/var/run/docker.sock", Container: inspect(t, name, "{{.Id}}"), UID: uint32(u.uid), GID: uint32(u.gid), User: u.name, Home: "/"}
	start := &wire.Start{Terminal: true, Path: "/bin/sh", Argv: []string{"sh", "-c", "sleep " + fmt.Sprint(u.uid) + "55"}}
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
		cmd := exec.Command(bridge)
		cmd.Stdin, cmd.SysProcAttr = theirs, &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		theirs.Close()
		conn, err := channel.New(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		conn.Within(limit)
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
		case <-time.After(limit):
			t.Errorf("%s: it goes on", what)
			_ = cmd.Process.Kill()
		}
		conn.Close()
		if last != c.want {
			t.Errorf("%s: the last answer is %d, want %d", what, last, c.want)
		}
	}
	eventually(t, "no session is left", func() bool { return !argsRun("sleep " + fmt.Sprint(u.uid) + "55") })
}

func TestExplainTellsOfAContainerMadeByHand(t *testing.T) {
	u, name := adopter(t)
	explain := func() string { return run(t, prefix+"/bin/dockershctl", "explain", u.name) }
	if out := explain(); !strings.Contains(out, name+" (absent)") || !strings.Contains(out, "logins are refused") || strings.Contains(out, "made with") {
		t.Error(out)
	}
	created(t, name, "dsh-busybox", "sleep", "infinity")
	if out := explain(); !strings.Contains(out, name+" (created)") || !strings.Contains(out, "made by hand") || strings.Contains(out, "made with") {
		t.Error(out)
	}
	if out := run(t, prefix+"/bin/dockershctl", "ls"); strings.Contains(out, name) {
		t.Errorf("ls lists what dockersh did not make:\n%s", out)
	}
}
