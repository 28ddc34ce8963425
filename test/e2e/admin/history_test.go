//go:build e2e

package admin

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// past is one session of `dockershctl sessions --history --json`.
type past struct {
	Event, ID, User, Door, Client, Key, Container, Image, TTY, Cold, Command, Signal, Lost, Reason, Shell, Status string
	UID                                                                                                           int
	Terminal, Cut                                                                                                 bool
	Exit                                                                                                          *int
	Seconds                                                                                                       *float64
	Time, Until                                                                                                   time.Time
}

// historyOf returns the history of an account, the newest session last.
func historyOf(t testing.TB, a *e2e.Account) []past {
	t.Helper()
	out := e2e.OnHost(t, e2e.CtlPath, "sessions", "--history", "--json", "--user", a.Name)
	var all []past
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v: %q", err, out)
	}
	return all
}

// lastOf waits until the newest of n sessions has ended, and returns it.
func lastOf(t testing.TB, a *e2e.Account, n int) past {
	t.Helper()
	var all []past
	e2e.Eventually(t, "the session is in the history, with its end", func() bool {
		all = historyOf(t, a)
		// Between the session's end and its event there is a start alone.
		return len(all) == n && (all[n-1].Event != "start" || !all[n-1].Until.IsZero())
	})
	return all[n-1]
}

// afterItsStart runs a script once the start of its session, the nth, is in the history, and
// returns what is there of the session after its end. The client's address is looked up in the
// background, and lost with a session that is over before.
func afterItsStart(t *testing.T, a *e2e.Account, n int, script string) past {
	t.Helper()
	argv := e2e.SSHArgv(a, "127.0.0.1", "read x; "+script)
	cmd := exec.Command(argv[0], argv[1:]...)
	in, _ := e2e.StartPiped(t, cmd)
	e2e.Eventually(t, "the live session is listed", func() bool {
		all := historyOf(t, a)
		return len(all) == n && all[n-1].Status == "still in"
	})
	_ = in.Close()
	_ = cmd.Wait() // it ends as the script does
	return lastOf(t, a, n)
}

func TestEachSessionIsInTheHistoryWithItsEnd(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root brokers write the history")
	u := e2e.NewUser(t)
	p := afterItsStart(t, u, 1, "exit 7")
	if p.Status != "exit 7" || *p.Exit != 7 || p.Door != e2e.Door || p.UID != u.UID || p.Client != "127.0.0.1" || len(p.Key) != 43 || p.TTY != "" || p.Terminal ||
		p.Container != u.Name+"_dockersh" || !strings.HasPrefix(p.Image, "sha256:") || p.Command != "" || p.Seconds == nil || time.Since(p.Time) > e2e.Limit || p.Until.Before(p.Time) {
		t.Errorf("%+v", p)
	}
	if p.Cold != "container did not exist" {
		t.Errorf("the first login was cold because of %q", p.Cold)
	}
	if p = afterItsStart(t, u, 2, "kill -TERM $$; sleep 1"); p.Status != "signal TERM" || p.Exit != nil || p.Cold != "" {
		t.Errorf("%+v", p)
	}

	c := e2e.LiveSession(t, u)
	e2e.Eventually(t, "the live session is listed", func() bool { all := historyOf(t, u); return len(all) == 3 && all[2].Status == "still in" })
	c.Line("exit 3")
	c.Wait()
	if p = lastOf(t, u, 3); p.Status != "exit 3" || !strings.HasPrefix(p.TTY, "pts/") || !p.Terminal || p.Client != "127.0.0.1" {
		t.Errorf("%+v", p)
	}

	for i, option := range []string{"-tt", "-T"} {
		e2e.CutConnection(t, u, option)
		if p = lastOf(t, u, 4+i); p.Status != "signal HUP" {
			t.Errorf("%s: %+v", option, p)
		}
	}

	c = e2e.LiveSession(t, u)
	if err := syscall.Kill(e2e.ProcessOf(t, u, e2e.Front), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	if p = lastOf(t, u, 6); p.Status != "unknown" {
		t.Errorf("a front that was killed says %+v", p)
	}

	c = e2e.LiveSession(t, u)
	e2e.OnHost(t, "docker", "stop", "-t", "1", u.Container(t))
	c.Lost("was stopped")
	if p = lastOf(t, u, 7); p.Status != "lost" || p.Lost != "the container was stopped" {
		t.Errorf("%+v", p)
	}

	out, _, status := e2e.Ctl(t, "sessions", "--history", "--user", u.Name, "--since", "1h")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); status != 0 || len(lines) != 8 || !strings.Contains(lines[0], "COLD") || !strings.Contains(lines[1], "exit 7") || !strings.Contains(lines[1], "container did not exist") || !strings.Contains(lines[7], "lost: the container was stopped") {
		t.Errorf("%d: %s", status, out)
	}
	if out, _, _ := e2e.Ctl(t, "sessions", "--history", "--user", u.Name, "--since", "2200-01-01"); strings.Count(out, "\n") != 1 {
		t.Errorf("%s", out)
	}
}

func TestRefusalsAndHostShellsAreInTheHistory(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root brokers write the history")
	u := e2e.NewUser(t, "imagename = is-not-there", "pull = never")
	e2e.SSH(t, u, "true").Refused(t)
	if p := lastOf(t, u, 1); p.Status != "refused" || !strings.Contains(p.Reason, "is-not-there") || p.Client != "127.0.0.1" || p.Door != e2e.Door {
		t.Errorf("%+v", p)
	}
	u.Configure(t, "hostshell = /bin/sh")
	e2e.SSH(t, u, "sleep 0.2")
	if p := lastOf(t, u, 2); p.Status != "host shell" || p.Shell != "/bin/sh" || p.Client != "127.0.0.1" {
		t.Errorf("%+v", p)
	}
}

func TestRefusalsOfOneUserDoNotFillTheHistory(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root brokers write the history")
	u, other := e2e.NewUser(t, "imagename = is-not-there", "pull = never"), e2e.NewUser(t, "imagename = nor-is-this", "pull = never")
	forgetRefusals(t)
	defer forgetRefusals(t)
	before := refusedLogins(t)
	for range 5 {
		e2e.SSH(t, u, "true").Refused(t, "is-not-there")
	}
	e2e.SSH(t, other, "true").Refused(t, "nor-is-this")
	for _, a := range []*e2e.Account{u, other} {
		if p := lastOf(t, a, 1); p.Status != "refused" {
			t.Errorf("%+v", p)
		}
	}
	if n := refusedLogins(t) - before; e2e.Door == "service" && n != 6 {
		t.Errorf("the service counted %d refusals, want 6", n)
	}
}

// forgetRefusals ends the minute of those who had the uids of these accounts before.
func forgetRefusals(t *testing.T) {
	if e2e.Door == "service" {
		e2e.Broker.Restart(t, syscall.SIGTERM)
	}
	if err := os.RemoveAll(e2e.RunDir + "/refused"); err != nil {
		t.Error(err)
	}
}

// refusedLogins returns how many logins the service has refused.
func refusedLogins(t *testing.T) (all int) {
	t.Helper()
	for line := range strings.Lines(e2e.OnHost(t, e2e.CtlPath, "metrics")) {
		if strings.HasPrefix(line, `dockersh_logins_total{outcome="refused"`) {
			n, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]), 64)
			if err != nil {
				t.Fatal(err)
			}
			all += int(n)
		}
	}
	return all
}

func TestSessionThatLostItsBrokerHasOneEndInTheHistory(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root brokers write the history")
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	e2e.Eventually(t, "the session has begun", func() bool { return len(historyOf(t, u)) == 1 })
	if e2e.Door == "service" {
		e2e.Broker.Restart(t, syscall.SIGKILL)
	} else {
		for _, pid := range e2e.PidsOf(func(_ int, args string) bool { return e2e.IsOneShot(args) }) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if got := c.Run("echo still here"); got != "still here" || historyOf(t, u)[0].Status != "still in" {
		t.Errorf("%q, %+v", got, historyOf(t, u))
	}
	c.Line("exit 3")
	c.Wait()
	if p := historyOf(t, u); len(p) != 1 || p[0].Status != "unknown" {
		t.Errorf("%+v", p)
	}
	// The service looks when it starts and each minute; the broker of one session when it
	// ends.
	e2e.Broker.Restart(t, syscall.SIGTERM)
	if e2e.Door != "service" {
		e2e.CanLogIn(t, u)
	}
	e2e.Eventually(t, "the end is written", func() bool { return strings.Count(eventsOf(t, u, "end"), historyOf(t, u)[0].ID) == 1 })
	time.Sleep(2 * time.Second) // a second end could come
	first := historyOf(t, u)[0]
	if n := strings.Count(eventsOf(t, u, "end"), first.ID); n != 1 || first.Status != "unknown" || first.Seconds == nil || first.Until.Before(first.Time) {
		t.Errorf("%d ends: %+v", n, first)
	}
}

// eventsOf returns the lines of the file about an account and an event.
func eventsOf(t testing.TB, u *e2e.Account, event string) string {
	t.Helper()
	data, err := os.ReadFile(e2e.SessionsLog)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, `"user":"`+u.Name+`"`) && strings.Contains(line, `"event":"`+event+`"`) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestCommandsAreInTheHistoryOnlyIfTheSettingsSaySo(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root brokers write the history")
	u := e2e.NewUser(t)
	e2e.SSH(t, u, "echo secret").Want(t, "secret\n", "", 0)
	if p := lastOf(t, u, 1); p.Command != "" || strings.Contains(eventsOf(t, u, "start"), "secret") {
		t.Errorf("%+v", p)
	}
	u.Configure(t, "auditcommand")
	e2e.SSH(t, u, "echo seen").Want(t, "seen\n", "", 0)
	if p := lastOf(t, u, 2); p.Command != "echo seen" || p.Cut {
		t.Errorf("%+v", p)
	}
	hostile := "exit 0 #\n{\"time\":\"2026-11-24T00:00:00Z\",\"event\":\"end\",\"user\":\"root\",\"uid\":0}\n\x1b[2J\x1b]0;x\a\u009b31m"
	e2e.SSH(t, u, hostile).Want(t, "", "", 0)
	if p := lastOf(t, u, 3); p.Command != hostile {
		t.Errorf("%q", p.Command)
	}
	long := "exit 0 #" + strings.Repeat("\x01", 120<<10)
	e2e.SSH(t, u, long).Want(t, "", "", 0)
	if p := lastOf(t, u, 4); p.Command != long[:4096] || !p.Cut {
		t.Errorf("%d bytes, %v", len(p.Command), p.Cut)
	}
	log, err := os.ReadFile(e2e.SessionsLog)
	if err != nil || strings.ContainsFunc(string(log), func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) {
		t.Errorf("%v: the history has control characters", err)
	}
	out, _, _ := e2e.Ctl(t, "sessions", "--history", "--user", u.Name)
	if strings.Count(out, "\n") != 5 || strings.ContainsAny(out, "\x1b\a\x01\u009b") || !strings.Contains(out, `exit 0 #\n{`) {
		t.Errorf("%.2000q", out)
	}
	if err := e2e.GoSession(t, u).Run("exit 0 #" + strings.Repeat("x", 200<<10)); err == nil {
		t.Error("the kernel passes no argument as long as this")
	}
	e2e.CanLogIn(t, u)
}

func TestFullDiskStopsNoLogin(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root brokers write the history")
	u := e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	lastOf(t, u, 1)
	dir := filepath.Dir(e2e.SessionsLog)
	if err := syscall.Mount("small", dir, "tmpfs", 0, "size=64k,mode=700"); err != nil {
		t.Fatal(err)
	}
	mounted := true
	unmount := func() {
		if mounted {
			mounted = false
			e2e.OnHost(t, "umount", "-l", dir)
		}
	}
	t.Cleanup(unmount)
	// All space is taken but half a line.
	if err := exec.Command("dd", "if=/dev/zero", "of="+dir+"/other", "bs=1k", "count=60").Run(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(e2e.SessionsLog, []byte(strings.Repeat("\n", 4096-100)), 0o600); err != nil {
		t.Fatal(err)
	}
	before := strings.Count(e2e.Broker.Log(), "history of sessions cannot be written")
	for range 3 {
		e2e.CanLogIn(t, u)
	}
	if e2e.Door == "service" {
		e2e.Eventually(t, "it is logged", func() bool {
			return strings.Count(e2e.Broker.Log(), "history of sessions cannot be written") > before
		})
		if n := strings.Count(e2e.Broker.Log(), "history of sessions cannot be written") - before; n != 1 {
			t.Errorf("logged %d times", n)
		}
	}
	if err := os.Remove(dir + "/other"); err != nil {
		t.Fatal(err)
	}
	e2e.CanLogIn(t, u)
	e2e.Eventually(t, "it is written again", func() bool {
		return slices.ContainsFunc(historyOf(t, u), func(p past) bool { return p.Door == e2e.Door && p.Status == "exit 0" })
	})
	data, err := os.ReadFile(e2e.SessionsLog)
	if half := strings.TrimLeft(string(data), "\n"); err != nil || len(half) < 100 || !strings.HasPrefix(half[100:], "\n{") {
		t.Errorf("%v: %q", err, half)
	}
	unmount()

	// The directory is missing, and cannot be made.
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir); _ = os.Rename(dir+".away", dir) })
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	e2e.CanLogIn(t, u)
}

func TestOnlyRootReadsTheHistory(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root brokers write the history")
	e2e.CanLogIn(t, e2e.NewUser(t))
	e2e.Eventually(t, "the history exists", func() bool { _, err := os.Stat(e2e.SessionsLog); return err == nil })
	for _, argv := range [][]string{
		{"cat", e2e.SessionsLog}, {"ls", filepath.Dir(e2e.SessionsLog)}, {"sh", "-c", "echo x >>" + e2e.SessionsLog}, {e2e.CtlPath, "sessions", "--history"},
	} {
		out, err := exec.Command("setpriv", append([]string{"--reuid", e2e.Plain.Name, "--regid", e2e.Plain.Name, "--init-groups", "--"}, argv...)...).CombinedOutput()
		said := strings.ToLower(string(out))
		if err == nil || !strings.Contains(said, "permission denied") && !strings.Contains(said, "only root may") {
			t.Errorf("%q: %v: %s", argv, err, out)
		}
	}
}

func TestTwoHundredLoginsAtOnceLeaveTwoHundredStartsAndEnds(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root brokers write the history")
	u := e2e.NewUser(t)
	e2e.Logins(t, 200, func(int) *e2e.Account { return u })
	var all []past
	e2e.Eventually(t, "all have ended", func() bool {
		all = historyOf(t, u)
		// The end of a session is written just after its entry is removed.
		return !slices.ContainsFunc(all, func(p past) bool { return p.Status == "still in" || p.Status == "unknown" })
	})
	codes := map[int]int{}
	for _, p := range all {
		if p.Exit == nil {
			t.Errorf("%+v", p)
			continue
		}
		codes[*p.Exit]++
		// The address is looked up after the session has begun: a session that has ended by
		// then has none.
		if p.Client != "127.0.0.1" && p.Client != "" {
			t.Errorf("from %q", p.Client)
		}
	}
	if len(all) != 200 || len(codes) != 100 || strings.Count(eventsOf(t, u, "end"), "\n") != 200 || strings.Count(eventsOf(t, u, "start"), "\n") != 200 {
		t.Errorf("%d sessions, %d codes", len(all), len(codes))
	}
}
