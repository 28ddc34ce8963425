//go:build e2e && bench

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// TestAccountOfAWarmLogin prints where the time of a warm login goes, through the service and through
// the setuid door, for docs/performance.md: ACCOUNT=1 go test -run TestAccountOfAWarmLogin. It needs
// perf(1).
func TestAccountOfAWarmLogin(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	if os.Getenv("ACCOUNT") == "" {
		t.Skip("ACCOUNT=1 asks for it")
	}
	u := e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	printAccount(t, u, e2e.Front, slices.Concat(serviceMarks, sessionMarks))
	printAccount(t, u, e2e.SetuidShell(t), slices.Concat(setuidMarks, sessionMarks))
}

func printAccount(t *testing.T, u *e2e.Account, front string, marks []mark) {
	login := func() { timed(t, asUser(u, front, "-c", "true")) }
	for range 20 {
		login()
	}
	data := t.TempDir() + "/perf.data"
	end := recordEvents(t, data)
	for range 200 {
		login()
	}
	end()
	out := e2e.OnHost(t, "perf", "script", "-i", data, "--ns", "-F", "comm,tid,cpu,time,event,trace")
	fmt.Print(stages(t, parseEvents(t, out), front, marks))
}

// recordEvents has perf write what happens to all processes of the machine to a file, until end.
func recordEvents(t *testing.T, data string) (end func()) {
	t.Helper()
	cmd := exec.Command("perf", "record", "-q", "-a", "-m", "4096", "-o", data, "-e",
		"sched:sched_wakeup,sched:sched_process_exec,sched:sched_process_exit")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e2e.Eventually(t, "perf records", func() bool {
		st, err := os.Stat(data)
		return err == nil && st.Size() > 0
	})
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // its exit status is that of the signal
	}
}

// An event is a line of perf-script(1).
type event struct {
	at         time.Duration
	comm       string
	kind, args string // in args process ids are those of the host, which perf is not told of
}

var eventLine = regexp.MustCompile(`^\s*(.+?)\s+-?\d+ \[\d+\]\s+(\d+\.\d+):\s+sched:(\w+): (.*)$`)

// pid returns the process id in the arguments of an event, as they have it.
func (e event) pid() string {
	_, rest, _ := strings.Cut(e.args, " pid=")
	pid, _, _ := strings.Cut(rest, " ")
	return pid
}

func parseEvents(t *testing.T, out string) (all []event) {
	for line := range strings.Lines(out) {
		m := eventLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		at, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, event{time.Duration(at * 1e9), m[1], m[3], m[4]})
	}
	return all
}

// A mark ends a stage of a warm login: it is the first event of its kind after the one before, of a
// process and about another one, where these are named.
type mark struct{ stage, kind, comm, args string }

var (
	serviceMarks = []mark{
		{"the front starts, until it connects to the broker", "sched_wakeup", "dockersh", "comm=dockershd "},
		{"the broker decides, until it sends the agent's socket", "sched_wakeup", "dockershd", " pid=FRONT "},
	}
	setuidMarks = []mark{
		{"the front starts, until it has started the broker", "sched_process_exec", "", "filename=" + e2e.Prefix + "/libexec/dockershd-session "},
		{"the broker starts and decides, until it sends the agent's socket", "sched_wakeup", "dockershd-sessi", " pid=FRONT "},
	}
	sessionMarks = []mark{
		{"front and agent start the command, until it is executed", "sched_process_exec", "", "pid=COMMAND "},
		{"the command", "sched_process_exit", "", " pid=COMMAND "},
		{"the agent reports its end", "sched_wakeup", "dockersh-init", " pid=FRONT "},
		{"the front ends", "sched_process_exit", "", " pid=FRONT "},
	}
)

// stages returns a table of how long each stage took, and the whole. It leaves out logins in which
// a process did not sleep, and so was not woken.
func stages(t *testing.T, all []event, front string, marks []mark) string {
	took := make([][]time.Duration, len(marks)+1)
	for i, e := range all {
		if e.kind != "sched_process_exec" || !strings.Contains(e.args, "filename="+front+" ") {
			continue
		}
		if times := divide(all[i:], marks); times != nil {
			for k := range times {
				took[k] = append(took[k], times[k])
			}
			took[len(marks)] = append(took[len(marks)], sum(times))
		}
	}
	if len(took[0]) < 20 {
		t.Fatalf("only %d logins have all events", len(took[0]))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| stage, of %d logins | a tenth is faster | median |\n| --- | --- | --- |\n", len(took[0]))
	for k, d := range took {
		name := "all"
		if k < len(marks) {
			name = marks[k].stage
		}
		slices.Sort(d)
		fmt.Fprintf(&b, "| %s | %d µs | %d µs |\n", name, d[len(d)/10].Microseconds(), d[len(d)/2].Microseconds())
	}
	return b.String()
}

// divide returns how long each stage of the login took that begins with the first event; nil if one
// of them was not seen.
func divide(login []event, marks []mark) (times []time.Duration) {
	front, command, last := login[0].pid(), "", login[0].at
	for _, e := range login[1:] {
		m := marks[len(times)]
		if e.kind == m.kind && m.args == "pid=COMMAND " {
			command = e.pid()
		}
		args := strings.NewReplacer("FRONT", front, "COMMAND", command).Replace(m.args)
		switch {
		case e.kind == m.kind && (m.comm == "" || e.comm == m.comm) && strings.Contains(e.args+" ", args):
			times, last = append(times, e.at-last), e.at
			if len(times) == len(marks) {
				return times
			}
		case e.kind == "sched_process_exit" && e.pid() == front:
			return nil
		}
	}
	return nil
}

func sum(d []time.Duration) (all time.Duration) {
	for _, x := range d {
		all += x
	}
	return all
}
