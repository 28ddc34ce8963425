//go:build e2e && bench

package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// TestBudgets measures each budget side by side in one run and prints the table.
func TestBudgets(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	u := e2e.NewUser(t, "pidslimit = 8192")
	host := e2e.NewAccount(t, "/bin/bash")
	e2e.CanLogIn(t, u)
	id := u.Container(t)
	var rows []row
	for _, part := range []struct {
		name    string
		measure func() []row
	}{
		{"start", func() []row { return startRows(t, u, id) }},
		{"ssh", func() []row { return []row{sshRow(t, u)} }},
		{"burst", func() []row { return []row{burstRow(t, u, host)} }},
		{"module", func() []row { return []row{moduleRow(t, u)} }},
		{"agent", func() []row { return []row{agentRow(t)} }},
		{"pipe", func() []row { return []row{pipeRow(t)} }},
		{"terminal", func() []row { return terminalRows(t, u) }},
		{"files", func() []row { return fileRows(t) }},
		{"cold", func() []row { return []row{coldRow(t)} }},
		{"seats", func() []row { return seatsRows(t) }},
		{"seats made beforehand", func() []row { return []row{readySeatsRow(t)} }},
		{"live", func() []row { return liveRows(t, u, id) }},
	} {
		begin := time.Now()
		rows = append(rows, part.measure()...)
		t.Logf("%s took %v", part.name, time.Since(begin).Round(time.Second))
	}
	fmt.Print(table(rows))
	for _, r := range rows {
		if r.verdict() == "FAIL" {
			t.Errorf("%s: %.3f to %.3f, bound %.3f", r.what, r.ratio.low, r.ratio.high, r.bound)
		}
	}
}

// asUser returns a command as sshd would start it for the account.
func asUser(u *e2e.Account, argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + u.Home, "USER=" + u.Name, "LOGNAME=" + u.Name, "SHELL=" + u.Shell, "TERM=xterm"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.GID)}}
	return cmd
}

// timed runs a command, which must succeed, with pipes for its input, empty if it has none, and output.
func timed(t testing.TB, cmd *exec.Cmd) time.Duration {
	t.Helper()
	var stderr bytes.Buffer
	if cmd.Stdin == nil {
		cmd.Stdin = strings.NewReader("")
	}
	cmd.Stderr = &stderr
	// A writer that is not a file makes a pipe, as sshd does.
	cmd.Stdout = struct{ io.Writer }{io.Discard}
	start := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%q: %v: %s", cmd.Args, err, stderr.String())
	}
	return time.Since(start)
}

// race runs each contender n times in turns and returns their times by rounds.
func race(n int, contenders ...func() time.Duration) [][]time.Duration {
	return raceUntil(n, never, contenders...)
}

func never([][]time.Duration) bool { return false }

// raceUntil is race that ends early, once a condition holds.
func raceUntil(n int, over func(took [][]time.Duration) bool, contenders ...func() time.Duration) [][]time.Duration {
	for _, run := range contenders {
		run() // warms caches
	}
	return turns(n, over, contenders...)
}

// turns is raceUntil without a round that warms caches.
func turns(n int, over func(took [][]time.Duration) bool, contenders ...func() time.Duration) [][]time.Duration {
	took := make([][]time.Duration, len(contenders))
	for range n {
		for i, run := range contenders {
			took[i] = append(took[i], run())
		}
		if over(took) {
			break
		}
	}
	return took
}

// busy keeps two processors busy until the end of what it is called with.
func busy(t *testing.T, measure func()) {
	for range 2 {
		cmd := exec.Command("sh", "-c", "while :; do :; done")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	}
	measure()
}

func startRows(t *testing.T, u *e2e.Account, id string) []row {
	pid := e2e.Inspect(t, id, "{{.State.Pid}}")
	warm := func() time.Duration { return timed(t, asUser(u, e2e.Front, "-c", "true")) }
	own := e2e.SetuidShell(t)
	enter := func() time.Duration {
		return timed(t, exec.Command("nsenter", "-t", pid, "-m", "-u", "-i", "-n", "-p", "/bin/ash", "-c", "true"))
	}
	// They are short: more rounds make a narrow range, for the table.
	quiet := race(100, warm, enter)
	// The broker of one session ends after it, beside what comes next: that is not measured.
	doors := race(60, func() time.Duration { return timed(t, asUser(u, own, "-c", "true")) }, enter, warm, enter)
	// Docker is busy for a moment after each: the login in between warms up again.
	engine := race(15, func() time.Duration { return timed(t, exec.Command("docker", "exec", id, "true")) }, warm, warm)
	var loaded [][]time.Duration
	busy(t, func() { loaded = race(100, warm, enter) })
	return []row{
		costRow("warm dockersh -c true vs nsenter", quiet[0], quiet[1], 1.6),
		costRow("warm dockersh -c true vs nsenter, beside two busy processes", loaded[0], loaded[1], 1.6),
		costRow("warm dockersh -c true, setuid door vs service", doors[0], doors[2], 3),
		costRow("warm dockersh -c true, setuid door vs nsenter", doors[0], doors[3], 3),
		costRow("warm dockersh -c true vs docker exec", engine[2], engine[0], 1./15),
	}
}

// TestStartBudget measures these rows alone: START=1 go test -run TestStartBudget.
func TestStartBudget(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	measureAlone(t, "START", func() []row {
		u := e2e.NewUser(t)
		e2e.CanLogIn(t, u)
		return startRows(t, u, u.Container(t))
	})
}

func sshRow(t *testing.T, u *e2e.Account) row {
	return shellRow(t, "ssh host true: dockersh vs bash", u, 1.06, "127.0.0.1", "true")
}

// shellRow compares what an account runs over ssh with dockersh and with bash as its shell. Two
// accounts would differ by more: each answer to a request for authentication takes sshd 5 ms and
// up to 4.2 more, by a hash of its host keys, its settings and the name of the user, or a multiple
// of that.
func shellRow(t *testing.T, what string, u *e2e.Account, bound float64, args ...string) row {
	defer setShell(t, u, u.Shell)
	argv := e2e.SSHArgv(u, args...)
	with := func(shell string) func() time.Duration {
		return func() time.Duration {
			setShell(t, u, shell)
			timed(t, asUser(u, e2e.Front, "-c", "true")) // after a change the broker looks accounts up
			return timed(t, exec.Command(argv[0], argv[1:]...))
		}
	}
	return measure(60, func(m [][]time.Duration) []row {
		return []row{costRow(what, m[0], m[1], bound)}
	}, with(e2e.Front), with("/bin/bash"))[0]
}

func setShell(t *testing.T, u *e2e.Account, shell string) {
	e2e.OnHost(t, "usermod", "-s", shell, u.Name)
}

// moduleRow compares logins by one sshd with our module in its PAM service and without. Two sshds
// would differ by more: each answer to a request for authentication takes sshd 5 ms and up to 4.2
// more, by a hash of its host keys, its settings and the name of the user, or a multiple of that.
func moduleRow(t *testing.T, u *e2e.Account) row {
	e2e.PAMSSHD.Start(t)
	add := func() error { return e2e.AddPAMModule(e2e.PAMModuleArgs) }
	t.Cleanup(func() { _ = add() })
	argv := e2e.PAMArgv(u, "127.0.0.1", "true")
	login := func(change func() error) func() time.Duration {
		return func() time.Duration {
			if err := change(); err != nil {
				t.Fatal(err)
			}
			return timed(t, exec.Command(argv[0], argv[1:]...))
		}
	}
	with, without := login(add), login(e2e.RemovePAMModule)
	return measure(40, func(m [][]time.Duration) []row {
		return []row{costRow("ssh host true: with the PAM module vs without",
			slices.Concat(m[0], m[3]), slices.Concat(m[1], m[2]), 1.03)}
	}, with, without, without, with)[0] // the end of a login may fall into the next one
}

// TestModuleBudget measures this row alone: MODULE=1 go test -run TestModuleBudget.
func TestModuleBudget(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	measureAlone(t, "MODULE", func() []row {
		u := e2e.NewUser(t)
		e2e.CanLogIn(t, u)
		return []row{moduleRow(t, u)}
	})
}

// TestSSHBudget measures this row alone: SSH=1 go test -run TestSSHBudget.
func TestSSHBudget(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	measureAlone(t, "SSH", func() []row {
		u := e2e.NewUser(t)
		e2e.CanLogIn(t, u)
		return []row{sshRow(t, u)}
	})
}

// measureAlone prints rows of TestBudgets, if an environment variable asks for it.
func measureAlone(t *testing.T, variable string, measure func() []row) {
	t.Helper()
	if os.Getenv(variable) == "" {
		t.Skipf("TestBudgets has the same; %s=1 asks for it alone", variable)
	}
	fmt.Print(table(measure()))
}

// pipeRow puts the two ends of the pipe on one processor and the command between them on
// another, with dockersh and without. Otherwise the kernel distributes the three over two
// processors differently each time: the same plain pipe takes 170 ms or 330 ms, and a
// median of that says nothing about dockersh.
func pipeRow(t *testing.T) row {
	const pipe = `taskset -c 0 head -c 200000000 /dev/zero | "$@" | taskset -c 0 cat >/dev/null`
	other := strconv.Itoa(min(1, runtime.NumCPU()-1))
	u := e2e.NewUser(t, "dockeropt = --cpuset-cpus "+other)
	e2e.CanLogIn(t, u)
	through := func(argv ...string) func() time.Duration {
		return func() time.Duration {
			return timed(t, asUser(u, append([]string{"/bin/sh", "-c", pipe, "sh"}, argv...)...))
		}
	}
	return measure(30, func(m [][]time.Duration) []row {
		return []row{throughputRow("200 MB stdin to stdout, throughput", m[0], m[1], 0.95)}
	}, through(e2e.Front, "-c", "cat"), through("taskset", "-c", other, busyboxPath(t), "cat"))[0]
}

func busyboxPath(t testing.TB) string {
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func terminalRows(t *testing.T, u *e2e.Account) []row {
	taped := e2e.NewRecordedUser(t)
	e2e.CanLogIn(t, taped)
	line := strings.Repeat("0123456789", 8)
	on := func(u *e2e.Account, argv ...string) func() time.Duration {
		return func() time.Duration {
			start := time.Now()
			argv := append([]string{"/usr/bin/setpriv", "--reuid", u.Name, "--regid", u.Name, "--init-groups", "--"}, argv...)
			c := e2e.NewConsole(t, 24, 80, argv...)
			<-c.Ended
			return time.Since(start)
		}
	}
	busybox := busyboxPath(t)
	contenders := []func() time.Duration{
		on(u, e2e.Front, "-c", "yes "+line+" | head -c 8000000"),
		on(taped, e2e.Front, "-c", "yes "+line+" | head -c 8000000"),
		on(u, "/bin/sh", "-c", busybox+" yes "+line+" | "+busybox+" head -c 8000000"),
	}
	rows := measure(20, func(m [][]time.Duration) []row {
		return []row{
			throughputRow("8 MB to a terminal, throughput", m[0], m[2], 0.8),
			throughputRow("8 MB to a terminal, recorded", m[1], m[2], 0.85),
		}
	}, contenders...)
	busy(t, func() {
		rows = append(rows, measure(20, func(m [][]time.Duration) []row {
			return []row{throughputRow("8 MB to a terminal, beside two busy processes", m[0], m[1], 0.85)}
		}, contenders[0], contenders[2])...)
	})
	return rows
}

// TestTerminalBudget measures these rows alone: TERMINAL=1 go test -run TestTerminalBudget.
func TestTerminalBudget(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	measureAlone(t, "TERMINAL", func() []row {
		u := e2e.NewUser(t)
		e2e.CanLogIn(t, u)
		return terminalRows(t, u)
	})
}

func coldRow(t *testing.T) row {
	u := e2e.NewUser(t)
	return measure(20, func(m [][]time.Duration) []row {
		return []row{costRow("cold login vs docker run --rm", m[0], m[1], 1.25)}
	}, func() time.Duration {
		for _, id := range u.Containers(t) {
			e2e.OnHost(t, "docker", "rm", "-f", id)
		}
		return timed(t, asUser(u, e2e.Front, "-c", "true"))
	}, func() time.Duration { return timed(t, exec.Command("docker", "run", "--rm", "busybox", "true")) })[0]
}

// private returns the memory in bytes that a process has for itself alone: what it wrote.
// Pages of its program are shared by all processes that run it.
func private(t testing.TB, pid int) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if f[0] == "Anonymous:" {
			kb, _ := strconv.ParseFloat(f[1], 64)
			return kb * 1024
		}
	}
	t.Fatal("no Anonymous")
	return 0
}

// holder keeps sessions live in a process of its own, since a test program with thousands
// of descriptors would be slow to fork. It prints the process id of each session, and ends
// with its input.
const holder = `
for i in $(seq "$1"); do
	coproc S { exec setpriv --reuid "$2" --regid "$2" --init-groups -- "$3" -c 'echo up; read x'; } 2>/dev/null
	read -r up <&"${S[0]}"; [ "$up" = up ] || exit 1
	exec {keep}>&"${S[1]}" {drop}<&"${S[0]}"
	echo "$S_PID"
done
read -r end`

// hold starts the sessions and returns the process ids of the fronts.
func hold(t *testing.T, u *e2e.Account, sessions int) (fronts []int) {
	t.Helper()
	cmd := exec.Command("bash", "-c", holder, "holder", strconv.Itoa(sessions), u.Name, e2e.Front)
	cmd.Env = append(os.Environ(), "HOME="+u.Home)
	in, out := e2e.StartPiped(t, cmd)
	t.Cleanup(func() { in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for len(fronts) < sessions && lines.Scan() {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		fronts = append(fronts, pid)
	}
	if len(fronts) < sessions {
		t.Fatalf("only %d of %d sessions are live", len(fronts), sessions)
	}
	return fronts
}

// lsOf makes containers with our labels, and lists all.
func lsOf(t *testing.T, containers int) func() time.Duration {
	for i := range containers {
		id := e2e.OnHost(t, "docker", "create", "--label", "dockersh.uid=0", "--label", "dockersh.user=bench", "--label", "dockersh.identity=u=bench",
			"--name", fmt.Sprintf("bench%d_dockersh", i), "busybox", "true")
		t.Cleanup(func() { e2e.OnHost(t, "docker", "rm", "-f", id) })
	}
	return func() time.Duration { return timed(t, exec.Command(e2e.CtlPath, "ls")) }
}

// firstScreen is how long dockershctl top takes until its terminal shows containers and
// the number of all sessions.
func firstScreen(t *testing.T, sessions int) time.Duration {
	t.Helper()
	full := regexp.MustCompile(fmt.Sprintf(`\d+ containers, \d+ running +%d sessions(?s:.*)\nbench\d+_dockersh +bench +busybox`, sessions))
	start := time.Now()
	c := e2e.NewConsole(t, 30, 140, e2e.CtlPath, "top")
	e2e.Eventually(t, "the first full screen", func() bool { return full.MatchString(c.Screen(30, 140)) })
	took := time.Since(start)
	c.Send("q")
	c.Wait()
	return took
}

// liveRows has a thousand sessions live at once.
func liveRows(t *testing.T, u *e2e.Account, id string) []row {
	const sessions = 1000
	agent, _ := strconv.Atoi(e2e.Inspect(t, id, "{{.State.Pid}}"))
	quiet := private(t, agent)
	login := func() time.Duration { return timed(t, asUser(u, e2e.Front, "-c", "true")) }
	few := race(60, login)[0]
	before := private(t, e2e.Broker.Cmd.Process.Pid)
	most := 0.
	for _, pid := range hold(t, u, sessions)[:50] {
		most = max(most, private(t, pid))
	}
	listing := race(7, func() time.Duration { return timed(t, exec.Command(e2e.CtlPath, "sessions")) },
		lsOf(t, 200), func() time.Duration { return firstScreen(t, sessions) }, func() time.Duration { return metrics(t) })
	many := race(60, login)[0] // once the log and the history have all of the sessions
	whole := private(t, e2e.Broker.Cmd.Process.Pid)
	perSession := (whole - before) / sessions
	return []row{
		memoryRow("private memory of the front, per session", most, 2e6),
		memoryRow("private memory of the broker, per session", perSession, 50e3),
		memoryRow("private memory of the broker with 1000 sessions", whole, sessions*50e3),
		memoryRow("private memory of the agent, per container", quiet, 1.5e6),
		limitRow("dockershctl sessions, 1000 sessions", listing[0], 500*time.Millisecond),
		limitRow("dockershctl ls, 200 containers, 1000 sessions", listing[1], 500*time.Millisecond),
		limitRow("dockershctl top, first screen, 200 containers, 1000 sessions", listing[2], 500*time.Millisecond),
		metricsRow(listing[3]),
		costRow("login with 1000 live sessions vs few", many, few, 2),
	}
}

func metrics(t *testing.T) time.Duration {
	return timed(t, exec.Command(e2e.CtlPath, "metrics"))
}

func metricsRow(took []time.Duration) row {
	return limitRow("dockershctl metrics, 200 containers, 1000 sessions", took, 100*time.Millisecond)
}

// TestLiveBudget measures these rows alone: LIVE=1 go test -run TestLiveBudget.
func TestLiveBudget(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	measureAlone(t, "LIVE", func() []row {
		u := e2e.NewUser(t, "pidslimit = 8192")
		e2e.CanLogIn(t, u)
		return liveRows(t, u, u.Container(t))
	})
}
