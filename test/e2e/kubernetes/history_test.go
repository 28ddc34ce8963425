//go:build e2e && kubernetes

package kubernetes

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// steps is how many things happen in a history.
const steps = 200

// ghostLimit is how long sessions may count that nobody withdrew, until another host has removed what
// they were in.
const ghostLimit = 5 * e2e.Limit

// person is a user, as a model has them.
type person struct {
	u         *e2e.Account
	ephemeral bool
	pod       string    // which pod they are in; empty: there is none
	in        []*opened // their sessions
	ghosts    time.Time // until then sessions may count that are none
}

// mayStay reports whether a pod that nobody is in may be there, or be gone.
func (p *person) mayStay() bool { return p.ephemeral && len(p.in) == 0 && time.Now().Before(p.ghosts) }

func (p *person) container() string { return p.u.Name + "_dockersh" }

// story is what happens to the users of two login hosts, with a model of what should be.
type story struct {
	*testing.T
	second *loginHost
	people []*person
	told   []string
}

// wrong ends a story in which something is not as in the model.
func (s *story) wrong(format string, args ...any) {
	s.Helper()
	s.Fatalf("%s\nafter:\n%s", fmt.Sprintf(format, args...), strings.Join(s.told[max(0, len(s.told)-25):], "\n"))
}

func (s *story) login(p *person, h *loginHost) {
	o, err := h.open(p.u)
	if err != nil {
		s.wrong("%v", err)
	}
	if p.pod != "" && o.pod != p.pod && !p.mayStay() {
		s.wrong("%s is in another pod", p.u.Name)
	}
	p.pod, p.in = o.pod, append(p.in, o)
}

func (s *story) leave(p *person, i int, cut bool) {
	o := p.in[i]
	p.in = slices.Delete(p.in, i, i+1)
	if cut {
		o.cut()
	} else if code := o.end(); code != 0 {
		s.wrong("a session of %s ended with exit code %d", p.u.Name, code)
	}
	s.settle(p)
}

// settle waits until an ephemeral pod that nobody is in is gone.
func (s *story) settle(p *person) {
	if !p.ephemeral || len(p.in) > 0 || p.mayStay() {
		return
	}
	if !e2e.Within(e2e.Limit, func() bool { return len(podsOf(s.T, p.container())) == 0 }) {
		s.wrong("the pod of %s stays", p.u.Name)
	}
	p.pod = ""
}

// lose ends sessions whose ends nobody may have announced.
func (s *story) lose(is func(o *opened) bool) {
	for _, p := range s.people {
		before := len(p.in)
		p.in = slices.DeleteFunc(p.in, func(o *opened) bool {
			if !is(o) {
				return false
			}
			o.cut()
			return true
		})
		if len(p.in) < before {
			p.ghosts = time.Now().Add(ghostLimit)
		}
	}
}

func (s *story) killHost() {
	s.lose(func(o *opened) bool { return o.host == s.second })
	s.second.kill()
	s.second.start(s.T)
}

func (s *story) restartServer() {
	restartAPIServer(s.T)
	s.lose(func(o *opened) bool {
		select {
		case <-o.over:
		case <-time.After(e2e.Limit):
			s.wrong("a session outlives its stream")
		}
		return true
	})
}

func (s *story) deletePod(p *person) {
	for _, name := range podsOf(s.T, p.container()) {
		if _, err := ask(http.MethodDelete, e2e.PodsAt+name+"?gracePeriodSeconds=1", nil); err != nil &&
			!strings.Contains(err.Error(), "not found") {
			s.wrong("%v", err)
		}
	}
	if !e2e.Within(e2e.Limit, func() bool { return len(podsOf(s.T, p.container())) == 0 }) {
		s.wrong("a pod that was deleted is there")
	}
	for _, o := range p.in {
		select {
		case <-o.over:
		case <-time.After(e2e.Limit):
			s.wrong("a session outlives its pod")
		}
	}
	p.pod, p.in = "", nil
}

// step lets one thing happen.
func (s *story) step(random *rand.Rand) {
	p := s.people[random.IntN(len(s.people))]
	host := []*loginHost{first, s.second}[random.IntN(2)]
	tell := func(what string) {
		s.told = append(s.told, fmt.Sprintf("%d %s %s ephemeral=%v sessions=%d host=%s", len(s.told), what, p.u.Name, p.ephemeral, len(p.in), host.port))
	}
	switch n := random.IntN(100); {
	case n < 2:
		tell("restart the API server")
		s.restartServer()
	case n < 5:
		tell("kill a host")
		s.killHost()
	case n < 7:
		tell("kill the broker of the first host")
		first.broker.Restart(s.T, syscall.SIGKILL)
	case n < 11:
		tell("delete the pod")
		s.deletePod(p)
	case n < 55 && len(p.in) > 0:
		tell("logout")
		s.leave(p, random.IntN(len(p.in)), n < 30)
	default:
		tell("login")
		s.login(p, host)
	}
}

// check compares what is there with the model.
func (s *story) check() {
	for _, p := range s.people {
		pods := len(podsOf(s.T, p.container()))
		want := 0
		if p.pod != "" {
			want = 1
		}
		if pods != want && !p.mayStay() {
			s.wrong("%s has %d pods, not %d", p.u.Name, pods, want)
		}
		if slices.ContainsFunc(p.in, (*opened).isOver) {
			s.wrong("a session of %s is lost", p.u.Name)
		}
	}
}

// Users come and go through two hosts, one of which dies again and again.
func TestHistoriesOfTwoLoginHostsAreAsTheModelHasThem(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(cluster))
	s := &story{T: t, second: secondHost(t)}
	for i := range 4 {
		p := &person{ephemeral: i%2 == 0}
		if p.u = newUser(t); p.ephemeral {
			p.u.Configure(t, append(p.u.Lines(), "ephemeral")...)
		}
		s.people = append(s.people, p)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range steps {
		s.step(random)
		s.check()
	}
	for _, p := range s.people {
		for len(p.in) > 0 {
			s.leave(p, 0, false)
		}
		if !p.ephemeral {
			continue
		}
		if !e2e.Within(ghostLimit, func() bool { return len(podsOf(t, p.container())) == 0 }) {
			s.wrong("the pod of %s is left", p.u.Name)
		}
		p.pod, p.ghosts = "", time.Time{}
	}
	s.check()
	for _, p := range s.people {
		if !e2e.Within(ghostLimit, func() bool { return len(leasesOf(t, p.container())) == 0 }) {
			s.wrong("sessions of %s are left", p.u.Name)
		}
	}
}

// restartAPIServer kills the API server, and starts it again.
func restartAPIServer(t *testing.T) {
	t.Helper()
	pid := partOf(t, apiServer)
	argv, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	e2e.Eventually(t, "the API server has ended", func() bool { return syscall.Kill(pid, 0) != nil || isZombie(pid) })
	if e2e.InPods() {
		e2e.RestartAPIServer(t)
		return
	}
	log, err := os.Create(ownFiles + "/apiserver2.log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	words := strings.Split(strings.TrimSuffix(string(argv), "\x00"), "\x00")
	cmd := exec.Command(os.Getenv("CLUSTER"), words[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait() }()
	if !e2e.Within(4*e2e.Limit, func() bool { _, err := ask(http.MethodGet, "/readyz", nil); return err == nil }) {
		t.Fatal("the API server does not start again")
	}
}

// isZombie reports whether a process has ended, and nobody asked how.
func isZombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(text), ") Z ")
}
