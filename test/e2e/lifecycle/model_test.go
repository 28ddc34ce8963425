//go:build e2e

package lifecycle

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// A site is an engine as the model's administrator works with it.
type site struct {
	lines      []string // of settings, for all of its users
	containers func(t testing.TB, a *e2e.Account) []string
	remove     func(t testing.TB, id string)
	power      e2e.PoweredEngine
}

var dockerSite = &site{
	containers: func(t testing.TB, a *e2e.Account) []string { return a.Containers(t) },
	remove: func(t testing.TB, id string) {
		out, err := exec.Command("docker", "rm", "-f", id).CombinedOutput()
		if err != nil && !strings.Contains(string(out), "is already in progress") && !strings.Contains(string(out), "No such container") { // the end of a session removes it
			t.Fatalf("docker rm -f %s: %v\n%s", id, err, out)
		}
	},
	power: e2e.PoweredDocker,
}

var podmanSite = &site{
	lines: []string{e2e.InPodman, "imagename = dsh-debian", "shell = /bin/bash"},
	containers: func(t testing.TB, a *e2e.Account) []string {
		return strings.Fields(e2e.OnHost(t, "podman", "--url", "unix://"+e2e.PodmanSocket, "ps", "-aq", "--no-trunc", "--filter", "label=dockersh.user="+a.Name))
	},
	remove: func(t testing.TB, id string) {
		e2e.OnHost(t, "podman", "--url", "unix://"+e2e.PodmanSocket, "rm", "-f", "-t", "0", id)
	},
	power: e2e.PoweredPodman,
}

// seat is an account and what must be true of it: its sessions, and its container, which
// is removed with the last session or stays.
type seat struct {
	*e2e.Account
	*site
	others   []*seat // on the same host
	stays    bool
	applies  bool   // onchange = apply: other settings take the container over with what is in it
	change   string // of its settings since the container was made, as a session sees it; or empty
	sessions []*e2e.Console
	id       string // of the container, or empty
	words    string // what a session wrote into it
}

// agree waits until host and engine are as the model says.
func (s *seat) agree(t *testing.T, step string) {
	t.Helper()
	want := 0
	if s.id != "" {
		want = 1
	}
	e2e.Eventually(t, fmt.Sprintf("after %q %s has %d containers", step, s.Name, want), func() bool {
		ids := s.containers(t, s.Account)
		return len(ids) == want && (want == 0 || ids[0] == s.id)
	})
	for i, c := range s.sessions {
		if got := c.Run("echo here $((6*7))"); got != "here 42" {
			t.Fatalf("after %q session %d of %s says %q", step, i, s.Name, got)
		}
	}
	if s.id != "" && len(s.sessions) > 0 {
		if got := s.sessions[0].Run("cat /tmp/words 2>/dev/null"); got != s.words {
			t.Fatalf("after %q in the container of %s: %q, want %q", step, s.Name, got, s.words)
		}
	}
}

// over ends session i in the model.
func (s *seat) over(i int) {
	s.sessions = append(s.sessions[:i], s.sessions[i+1:]...)
	if len(s.sessions) == 0 && !s.stays {
		s.id, s.words = "", ""
	}
}

// allOver ends all sessions.
func (s *seat) allOver() {
	for len(s.sessions) > 0 {
		s.sessions[0].Wait()
		s.over(0)
	}
}

// steps are the events.
var steps = map[string]func(t *testing.T, s *seat, r *rand.Rand){
	"login": func(t *testing.T, s *seat, r *rand.Rand) {
		if len(s.sessions) == 3 {
			e2e.SSH(t, s.Account, "true").Refused(t, "you may have 3 sessions")
			return
		}
		if s.id != "" && s.change != "" && len(s.sessions) == 0 {
			s.follow(t)
			return
		}
		s.sessions = append(s.sessions, e2e.LiveSession(t, s.Account))
		if s.id == "" {
			s.adopt(t, r)
		}
	},
	"logout": func(t *testing.T, s *seat, r *rand.Rand) { s.end(r, func(c *e2e.Console) { c.Line("exit"); c.Wait() }) },
	"cut": func(t *testing.T, s *seat, r *rand.Rand) {
		s.end(r, func(c *e2e.Console) { _ = c.Cmd.Process.Kill(); c.Wait() })
	},
	"broker killed": func(t *testing.T, s *seat, r *rand.Rand) {
		e2e.Broker.Restart(t, syscall.SIGKILL)
	},
	"cut without a broker": func(t *testing.T, s *seat, r *rand.Rand) {
		back := e2e.Broker.Away(t, syscall.SIGKILL)
		s.end(r, func(c *e2e.Console) { _ = c.Cmd.Process.Kill(); c.Wait() })
		back()
	},
	"removed": func(t *testing.T, s *seat, r *rand.Rand) {
		if s.id == "" {
			return
		}
		s.remove(t, s.id)
		for _, c := range s.sessions {
			c.Wait()
		}
		s.sessions, s.id, s.words = nil, "", ""
	},
	"reset": func(t *testing.T, s *seat, r *rand.Rand) {
		e2e.MustCtl(t, "reset", "--yes", "--user", s.Name)
		s.allOver()
		s.id, s.words = "", ""
	},
	"stop":    func(t *testing.T, s *seat, r *rand.Rand) { e2e.MustCtl(t, "stop", "--user", s.Name); s.allOver() },
	"restart": func(t *testing.T, s *seat, r *rand.Rand) { e2e.MustCtl(t, "restart", "--user", s.Name); s.allOver() },
	"kick":    func(t *testing.T, s *seat, r *rand.Rand) { e2e.MustCtl(t, "kick", "--user", s.Name); s.allOver() },
	"settings": func(t *testing.T, s *seat, r *rand.Rand) {
		if s.applies {
			s.change = strconv.Itoa(r.IntN(1e6))
			s.configure(t, "env = CHANGE="+s.change)
			return
		}
		lines := []string{"memory = " + strconv.Itoa(64+r.IntN(64)) + "m"}
		if !s.stays {
			lines = append(lines, "ephemeral")
		} else if s.id != "" && r.IntN(2) == 0 {
			lines = append(lines, "ephemeral") // which does not change a container that was made to stay
		}
		s.configure(t, lines...)
		if s.id == "" && s.stays {
			s.configure(t)
		}
	},
	"power cut": func(t *testing.T, s *seat, r *rand.Rand) {
		s.power.CutPower(t)
		s.power.Boot(t)
		s.everybodyOut()
	},
	"power cut in a login": func(t *testing.T, s *seat, r *rand.Rand) {
		tried := make(chan struct{})
		go func() { defer close(tried); _, _ = e2e.TrySSH(s.Account, nil, "true") }()
		time.Sleep(time.Duration(r.IntN(700)) * time.Millisecond)
		s.power.CutPower(t)
		<-tried
		s.power.Boot(t)
		s.everybodyOut()
		if s.id != "" && s.change != "" { // it may have been carried over
			s.follow(t)
		}
		if s.id == "" && s.stays { // it may have been made
			s.sessions = append(s.sessions, e2e.LiveSession(t, s.Account))
			s.adopt(t, r)
		}
	},
}

// configure sets the account's settings beside those that it always has.
func (s *seat) configure(t *testing.T, lines ...string) {
	t.Helper()
	if s.applies {
		lines = append(lines, "onchange = apply")
	}
	s.Configure(t, slices.Concat(s.lines, []string{"maxsessions = 3"}, lines)...)
}

// follow logs in until the container is carried over to the changed settings: what the last
// session left in it may run for a moment.
func (s *seat) follow(t *testing.T) {
	t.Helper()
	e2e.Eventually(t, "the container of "+s.Name+" is carried over", func() bool {
		_ = os.Remove(e2e.RunDir + "/c/" + s.Name + "_dockersh/kept") // try again at once
		c := e2e.LiveSession(t, s.Account)
		if c.Run("echo $CHANGE") == s.change {
			s.sessions = append(s.sessions, c)
			return true
		}
		c.Line("exit")
		c.Wait()
		return false
	})
	ids := s.containers(t, s.Account)
	if len(ids) != 1 {
		t.Fatalf("%s has the containers %q", s.Name, ids)
	}
	s.id, s.change = ids[0], ""
}

// adopt takes the container of the first session into the model.
func (s *seat) adopt(t *testing.T, r *rand.Rand) {
	t.Helper()
	ids := s.containers(t, s.Account)
	if len(ids) != 1 {
		t.Fatalf("%s has the containers %q", s.Name, ids)
	}
	s.id, s.words, s.change = ids[0], strconv.Itoa(r.IntN(1e6)), ""
	s.sessions[0].Run("echo " + s.words + " >/tmp/words")
}

// everybodyOut ends all sessions on the host.
func (s *seat) everybodyOut() {
	for _, o := range s.others {
		o.allOver()
	}
}

func (s *seat) end(r *rand.Rand, how func(*e2e.Console)) {
	if n := len(s.sessions); n > 0 {
		i := r.IntN(n)
		how(s.sessions[i])
		s.over(i)
	}
}

func TestAnyOrderOfEventsAgreesWithTheModel(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	runModel(t, dockerSite)
}

func TestAnyOrderOfEventsInPodmanAgreesWithTheModel(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	runModel(t, podmanSite)
}

// runModel makes events happen in random order. STEPS=200 in the environment runs more of
// them, SEED=N the same ones again.
func runModel(t *testing.T, at *site) {
	count, seed := 60, uint64(time.Now().UnixNano())
	if n, err := strconv.Atoi(os.Getenv("STEPS")); err == nil {
		count = n
	}
	if n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Log("SEED=", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	seats := []*seat{
		{Account: e2e.NewUser(t), site: at},
		{Account: e2e.NewUser(t), site: at, stays: true},
	}
	if e2e.Door != "direct" { // only root has an inventory
		seats = append(seats, &seat{Account: e2e.NewUser(t), site: at, stays: true, applies: true})
	}
	for _, s := range seats {
		s.others = seats
		if s.stays {
			s.configure(t)
		} else {
			s.configure(t, "ephemeral")
		}
	}
	names := []string{"login", "login", "login", "login", "logout", "logout", "cut", "broker killed", "cut without a broker", "removed", "settings", "reset", "stop", "kick"}
	if e2e.Door != "direct" { // root does not start a container that mounts the user's own directory
		names = append(names, "restart")
	}
	if e2e.Door == "service" { // which looks after the boot for what the power cut left
		names = append(names, "power cut", "power cut in a login")
	}
	t.Cleanup(func() {
		for _, s := range seats {
			for _, id := range at.containers(t, s.Account) {
				at.remove(t, id)
			}
		}
	})
	var done []string
	for range count {
		s, name := seats[r.IntN(len(seats))], names[r.IntN(len(names))]
		if (name == "removed" || name == "reset") && s.stays {
			s.configure(t) // so that the next container stays too
		}
		done = append(done, s.Name+" "+name)
		steps[name](t, s, r)
		for _, s := range seats {
			s.agree(t, strings.Join(done[max(0, len(done)-6):], ", "))
		}
	}
}
