//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sessionsLog is root's file of what became of sessions.
const sessionsLog = "/var/log/dockersh/sessions.log"

// past is one session as `dockershctl sessions --history --json` tells it.
type past struct {
	Event, ID, User, Door, Client, Key, Container, Image, TTY, Command, Signal, Lost, Reason, Shell, Status string
	UID                                                                                                     int
	Terminal, Cut                                                                                           bool
	Exit                                                                                                    *int
	Seconds                                                                                                 *float64
	Time, Until                                                                                             time.Time
}

// history is what is told of an account, the newest last.
func (a *account) history(t testing.TB) []past {
	t.Helper()
	out := run(t, prefix+"/bin/dockershctl", "sessions", "--history", "--json", "--user", a.name)
	var all []past
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v: %q", err, out)
	}
	return all
}

// became waits until the newest of n sessions has ended, and gives it.
func (a *account) became(t testing.TB, n int) past {
	t.Helper()
	var all []past
	eventually(t, "the session is in the history, with its end", func() bool {
		all = a.history(t)
		return len(all) == n && all[n-1].Status != "still in"
	})
	return all[n-1]
}

func TestEachSessionIsInTheHistoryWithItsEnd(t *testing.T) {
	privileged(t, "a user's own broker keeps no history")
	u := newBoxed(t)
	ssh(t, u, "sleep 0.2; exit 7")
	p := u.became(t, 1)
	if p.Status != "exit 7" || *p.Exit != 7 || p.Door != door || p.UID != u.uid || p.Client != "127.0.0.1" || len(p.Key) != 43 || p.TTY != "" || p.Terminal ||
		p.Container != u.name+"_dockersh" || !strings.HasPrefix(p.Image, "sha256:") || p.Command != "" || p.Seconds == nil || time.Since(p.Time) > limit || p.Until.Before(p.Time) {
		t.Errorf("%+v", p)
	}
	ssh(t, u, "sleep 0.2; kill -TERM $$; sleep 1")
	if p = u.became(t, 2); p.Status != "signal TERM" || p.Exit != nil {
		t.Errorf("%+v", p)
	}

	c := live(t, u)
	eventually(t, "who is in is told so", func() bool { all := u.history(t); return len(all) == 3 && all[2].Status == "still in" })
	c.line("exit 3")
	c.wait()
	if p = u.became(t, 3); p.Status != "exit 3" || !strings.HasPrefix(p.TTY, "pts/") || !p.Terminal || p.Client != "127.0.0.1" {
		t.Errorf("%+v", p)
	}

	for i, option := range []string{"-tt", "-T"} {
		cut(t, u, option)
		if p = u.became(t, 4+i); p.Status != "signal HUP" {
			t.Errorf("%s: %+v", option, p)
		}
	}

	c = live(t, u)
	if err := syscall.Kill(processOf(t, u, front), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.wait()
	if p = u.became(t, 6); p.Status != "unknown" {
		t.Errorf("a front that was killed says %+v", p)
	}

	c = live(t, u)
	run(t, "docker", "stop", "-t", "1", u.container(t))
	c.lost("was stopped")
	if p = u.became(t, 7); p.Status != "lost" || p.Lost != "the container was stopped" {
		t.Errorf("%+v", p)
	}

	out, _, status := ctl(t, "sessions", "--history", "--user", u.name, "--since", "1h")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); status != 0 || len(lines) != 8 || !strings.Contains(lines[1], "exit 7") || !strings.Contains(lines[7], "lost: the container was stopped") {
		t.Errorf("%d: %s", status, out)
	}
	if out, _, _ := ctl(t, "sessions", "--history", "--user", u.name, "--since", "2200-01-01"); strings.Count(out, "\n") != 1 {
		t.Errorf("%s", out)
	}
}

func TestARefusalAndAHostShellAreInTheHistory(t *testing.T) {
	privileged(t, "a user's own broker keeps no history")
	u := newBoxed(t, "imagename = is-not-there", "pull = never")
	ssh(t, u, "true").refused(t)
	if p := u.became(t, 1); p.Status != "refused" || !strings.Contains(p.Reason, "is-not-there") || p.Client != "127.0.0.1" || p.Door != door {
		t.Errorf("%+v", p)
	}
	u.reset(t, "hostshell = /bin/sh")
	ssh(t, u, "sleep 0.2")
	if p := u.became(t, 2); p.Status != "host shell" || p.Shell != "/bin/sh" || p.Client != "127.0.0.1" {
		t.Errorf("%+v", p)
	}
}

func TestASessionThatLostItsBrokerHasOneEndInTheHistory(t *testing.T) {
	privileged(t, "a user's own broker keeps no history")
	u := newBoxed(t)
	c := live(t, u)
	eventually(t, "it has begun", func() bool { return len(u.history(t)) == 1 })
	if door == "service" {
		broker.restart(t, syscall.SIGKILL)
	} else {
		for _, pid := range pidsOf(func(_ int, args string) bool { return isOneShot(args) }) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if got := c.run("echo still here"); got != "still here" || u.history(t)[0].Status != "still in" {
		t.Errorf("%q, %+v", got, u.history(t))
	}
	c.line("exit 3")
	c.wait()
	if p := u.history(t); len(p) != 1 || p[0].Status != "unknown" {
		t.Errorf("%+v", p)
	}
	// The service looks each minute and when it starts; a broker of one session at its end.
	broker.restart(t, syscall.SIGTERM)
	if door != "service" {
		works(t, u)
	}
	eventually(t, "somebody noticed", func() bool { return strings.Count(told(t, u, "end"), u.history(t)[0].ID) == 1 })
	time.Sleep(2 * time.Second) // is there another one?
	first := u.history(t)[0]
	if n := strings.Count(told(t, u, "end"), first.ID); n != 1 || first.Status != "unknown" || first.Seconds == nil || first.Until.Before(first.Time) {
		t.Errorf("%d ends: %+v", n, first)
	}
}

// told are the lines of the file about an account and an event.
func told(t testing.TB, u *account, event string) string {
	t.Helper()
	data, err := os.ReadFile(sessionsLog)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, `"user":"`+u.name+`"`) && strings.Contains(line, `"event":"`+event+`"`) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestCommandsAreKeptOnlyWhereTheSettingsSaySo(t *testing.T) {
	privileged(t, "a user's own broker keeps no history")
	u := newBoxed(t)
	ssh(t, u, "echo secret").want(t, "secret\n", "", 0)
	if p := u.became(t, 1); p.Command != "" || strings.Contains(told(t, u, "start"), "secret") {
		t.Errorf("%+v", p)
	}
	u.reset(t, "auditcommand")
	ssh(t, u, "echo seen").want(t, "seen\n", "", 0)
	if p := u.became(t, 2); p.Command != "echo seen" || p.Cut {
		t.Errorf("%+v", p)
	}
	hostile := "exit 0 #\n{\"time\":\"2026-11-24T00:00:00Z\",\"event\":\"end\",\"user\":\"root\",\"uid\":0}\n\x1b[2J\x1b]0;x\a\u009b31m"
	ssh(t, u, hostile).want(t, "", "", 0)
	if p := u.became(t, 3); p.Command != hostile {
		t.Errorf("%q", p.Command)
	}
	long := "exit 0 #" + strings.Repeat("\x01", 120<<10)
	ssh(t, u, long).want(t, "", "", 0)
	if p := u.became(t, 4); p.Command != long[:4096] || !p.Cut {
		t.Errorf("%d bytes, %v", len(p.Command), p.Cut)
	}
	log, err := os.ReadFile(sessionsLog)
	if err != nil || strings.ContainsFunc(string(log), func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) {
		t.Errorf("%v: what a user wrote can steer a terminal", err)
	}
	out, _, _ := ctl(t, "sessions", "--history", "--user", u.name)
	if strings.Count(out, "\n") != 5 || strings.ContainsAny(out, "\x1b\a\x01\u009b") || !strings.Contains(out, `exit 0 #\n{`) {
		t.Errorf("%.2000q", out)
	}
	if err := session(t, u).Run("exit 0 #" + strings.Repeat("x", 200<<10)); err == nil {
		t.Error("the kernel gives no shell as much")
	}
	works(t, u)
}

func TestADiskThatIsFullStopsNoLogin(t *testing.T) {
	privileged(t, "a user's own broker keeps no history")
	u := newBoxed(t)
	works(t, u)
	u.became(t, 1)
	dir := filepath.Dir(sessionsLog)
	if err := syscall.Mount("small", dir, "tmpfs", 0, "size=64k,mode=700"); err != nil {
		t.Fatal(err)
	}
	mounted := true
	unmount := func() {
		if mounted {
			mounted = false
			run(t, "umount", "-l", dir)
		}
	}
	t.Cleanup(unmount)
	// All of it is taken but for half a line.
	if err := exec.Command("dd", "if=/dev/zero", "of="+dir+"/other", "bs=1k", "count=60").Run(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sessionsLog, []byte(strings.Repeat("\n", 4096-100)), 0o600); err != nil {
		t.Fatal(err)
	}
	before := strings.Count(broker.log(), "history of sessions cannot be written")
	for range 3 {
		works(t, u)
	}
	if door == "service" {
		eventually(t, "it is told", func() bool {
			return strings.Count(broker.log(), "history of sessions cannot be written") > before
		})
		if n := strings.Count(broker.log(), "history of sessions cannot be written") - before; n != 1 {
			t.Errorf("told %d times", n)
		}
	}
	if err := os.Remove(dir + "/other"); err != nil {
		t.Fatal(err)
	}
	works(t, u)
	eventually(t, "it is written again", func() bool {
		return slices.ContainsFunc(u.history(t), func(p past) bool { return p.Door == door && p.Status == "exit 0" })
	})
	data, err := os.ReadFile(sessionsLog)
	if half := strings.TrimLeft(string(data), "\n"); err != nil || len(half) < 100 || !strings.HasPrefix(half[100:], "\n{") {
		t.Errorf("%v: %q", err, half)
	}
	unmount()

	// And no directory at all, nor one that can be made.
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir); _ = os.Rename(dir+".away", dir) })
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	works(t, u)
}

func TestTheHistoryIsRootsAlone(t *testing.T) {
	privileged(t, "a user's own broker keeps no history")
	works(t, newBoxed(t))
	eventually(t, "there is one", func() bool { _, err := os.Stat(sessionsLog); return err == nil })
	for _, argv := range [][]string{
		{"cat", sessionsLog}, {"ls", filepath.Dir(sessionsLog)}, {"sh", "-c", "echo x >>" + sessionsLog}, {prefix + "/bin/dockershctl", "sessions", "--history"},
	} {
		out, err := exec.Command("setpriv", append([]string{"--reuid", plain.name, "--regid", plain.name, "--init-groups", "--"}, argv...)...).CombinedOutput()
		said := strings.ToLower(string(out))
		if err == nil || !strings.Contains(said, "permission denied") && !strings.Contains(said, "only root may") {
			t.Errorf("%q: %v: %s", argv, err, out)
		}
	}
}

func TestTwoHundredLoginsAtOnceLeaveTwoHundredPairs(t *testing.T) {
	privileged(t, "a user's own broker keeps no history")
	u := newBoxed(t)
	logins(t, 200, func(int) *account { return u })
	var all []past
	eventually(t, "all have ended", func() bool {
		all = u.history(t)
		return !slices.ContainsFunc(all, func(p past) bool { return p.Status == "still in" })
	})
	codes := map[int]int{}
	for _, p := range all {
		if p.Exit == nil {
			t.Errorf("%+v", p)
			continue
		}
		codes[*p.Exit]++
		// The address is looked for when the user has his session: who was gone by then has none.
		if p.Client != "127.0.0.1" && p.Client != "" {
			t.Errorf("from %q", p.Client)
		}
	}
	if len(all) != 200 || len(codes) != 100 || strings.Count(told(t, u, "end"), "\n") != 200 || strings.Count(told(t, u, "start"), "\n") != 200 {
		t.Errorf("%d sessions, %d codes", len(all), len(codes))
	}
}
