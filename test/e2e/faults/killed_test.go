//go:build e2e

package faults

import (
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestSessionsGoOnWhenTheBrokerIsKilled(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "other doors have no broker to start again")
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	back := e2e.Broker.Away(t, syscall.SIGKILL)
	if got := c.Run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	// A login waits a moment for the next broker.
	answer := make(chan e2e.Result, 1)
	go func() { r, _ := e2e.TrySSH(u, nil, "echo waited"); answer <- r }()
	time.Sleep(300 * time.Millisecond)
	back()
	(<-answer).Want(t, "waited\n", "", 0)
	e2e.CanLogIn(t, u)
	if got := c.Run("echo and here"); got != "and here" {
		t.Errorf("%q", got)
	}
	c.Line("exit 6")
	if status := c.Wait(); status != 6 {
		t.Errorf("status %d, want 6", status)
	}
}

func TestMissingBrokerIsOneErrorLine(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "other doors have no broker that could be missing")
	u := e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	back := e2e.Broker.Away(t, syscall.SIGTERM)
	r := e2e.SSH(t, u, "true")
	back()
	r.Refused(t)
	if r.Took > e2e.Limit {
		t.Errorf("took %v", r.Took)
	}
	e2e.CanLogIn(t, u)
}

func TestKilledFrontHangsUpTheSession(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	c.Line("sleep 54321")
	e2e.Eventually(t, "the command runs", func() bool { return e2e.CommandRuns("sleep 54321") })
	pid := e2e.ProcessOf(t, u, e2e.Front)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	e2e.Eventually(t, "the command is hung up", func() bool { return !e2e.CommandRuns("sleep 54321") })
	e2e.CanLogIn(t, u)
}

func TestCutConnectionHangsUpTheSession(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.CutConnection(t, u, "-tt")
	})
	// Without a terminal sshd leaves a command running that writes nothing. dockersh must
	// not.
	t.Run("pipes", func(t *testing.T) { e2e.CutConnection(t, e2e.Boxed, "-T") })
}

func TestKilledAgentEndsTheSessionWithOneLine(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	pid, _ := strconv.Atoi(e2e.Inspect(t, u.Container(t), "{{.State.Pid}}"))
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.Lost()
	e2e.CanLogIn(t, u)
}

func TestContainerRemovedUnderASession(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewUser(t)
	first, warm := e2e.LiveSession(t, u), e2e.LiveSession(t, u)
	e2e.OnHost(t, "docker", "rm", "-f", u.Container(t))
	first.Lost("removed")
	warm.Lost("removed")
	e2e.CanLogInAgain(t, u)
}

func TestContainerRemovedUnderACommand(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	answer := make(chan e2e.Result, 1)
	go func() { r, _ := e2e.TrySSH(u, nil, "echo begun; exec sleep 2000"); answer <- r }()
	e2e.Eventually(t, "the command runs", func() bool { return e2e.CommandRuns("sleep 2000") })
	e2e.OnHost(t, "docker", "rm", "-f", u.Container(t))
	r := <-answer
	if r.Stdout != "begun\n" || r.Status != e2e.KilledStatus || strings.Count(r.Stderr, "\n") != 1 || !strings.HasPrefix(r.Stderr, "dockersh: ") {
		t.Errorf("%q, %q, %d", r.Stdout, r.Stderr, r.Status)
	}
	e2e.CanLogInAgain(t, u)
}

func TestContainerStoppedUnderASession(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewUser(t)
	first, warm := e2e.LiveSession(t, u), e2e.LiveSession(t, u)
	e2e.OnHost(t, "docker", "stop", "-t", "5", u.Container(t))
	first.Lost("stopped")
	warm.Lost("stopped")
	e2e.CanLogIn(t, u)
}

func TestPausedContainerIsAnErrorNotAHang(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	id := u.Container(t)
	e2e.OnHost(t, "docker", "pause", id)
	r := e2e.SSH(t, u, "true")
	e2e.OnHost(t, "docker", "unpause", id)
	r.Refused(t)
	if r.Took > e2e.Limit {
		t.Errorf("took %v", r.Took)
	}
	e2e.CanLogIn(t, u)
}

func TestForeignContainerWithTheNameIsNotEntered(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.OnHost(t, "docker", "create", "--name", u.Name+"_dockersh", "busybox", "sleep", "1000")
	t.Cleanup(func() { e2e.OnHost(t, "docker", "rm", "-f", u.Name+"_dockersh") })
	e2e.SSH(t, u, "true").Refused(t, u.Name+"_dockersh")
	if got := e2e.Inspect(t, u.Name+"_dockersh", "{{.State.Status}}"); got != "created" {
		t.Errorf("it is %s now", got)
	}
}

func TestWarmLoginsWorkWithoutTheEngine(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u, cold := e2e.NewUser(t), e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	// Containers outlive a killed engine; a stopped engine stops them.
	e2e.DockerDaemon(t, "kill")
	e2e.CanLogIn(t, u)
	c := e2e.SSHConsole(t, u)
	c.FirstPrompt()
	if got := c.Run("echo $((6*7))"); got != "42" {
		t.Errorf("%q", got)
	}
	r := e2e.SSH(t, cold, "true")
	e2e.DockerDaemon(t, "start")
	r.Refused(t, "engine")
	if r.Took > e2e.Limit {
		t.Errorf("took %v", r.Took)
	}
	e2e.CanLogIn(t, cold)
	e2e.CanLogIn(t, u)
}

func TestLoginsWorkAfterTheEngineIsRestarted(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	e2e.DockerDaemon(t, "stop")
	t.Run("session", func(t *testing.T) { c.T = t; c.Lost() })
	e2e.DockerDaemon(t, "start")
	e2e.CanLogIn(t, u)
}

func TestMemoryThatRunsOutSparesProcess1(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "memory = 32m", "dockeropt = --memory-swap=32m")
	// The agent has its own score back a moment after a session has begun.
	const back = "n=0; until [ $(cat /proc/1/oom_score_adj) = 0 ] || [ $n = 100 ]; do sleep 0.1; n=$((n+1)); done; "
	r := e2e.SSH(t, u, back+"cat /proc/self/oom_score_adj /proc/1/oom_score_adj; df -k /dev/shm | tail -n 1 | awk '{print $2}'")
	r.Want(t, "100\n0\n16384\n", "", 0)
	id := u.Container(t)
	for range 3 {
		r := e2e.SSH(t, u, `x=0123456789abcdef; while :; do x=$x$x; done`)
		if !strings.Contains(r.Stderr, "memory") {
			t.Errorf("%q, %d", r.Stderr, r.Status)
		}
	}
	if now := u.Container(t); now != id || e2e.Inspect(t, id, "{{.State.Running}} {{.RestartCount}}") != "true 0" {
		t.Errorf("the container ended")
	}
}

func TestOutOfMemoryInASmallContainer(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	for name, image := range map[string]string{"busybox": "dsh-busybox", "debian": "dsh-debian"} {
		t.Run(name, func(t *testing.T) {
			u := e2e.NewUser(t, "imagename = "+image, "shell = /bin/sh", "memory = 32m", "dockeropt = --memory-swap=32m")
			e2e.CanLogIn(t, u)
			// The shell takes all memory: it is killed, or every process is.
			r := e2e.SSH(t, u, `exec sh -c 'x=0123456789abcdef; while :; do x=$x$x; done'`)
			if r.Status == 0 || strings.Count(r.Stderr, "dockersh: ") > 1 {
				t.Errorf("%q, %d", r.Stderr, r.Status)
			}
			e2e.CanLogIn(t, u)
			c := e2e.LiveSession(t, u)
			c.Line(`exec sh -c 'x=0123456789abcdef; while :; do x=$x$x; done'`)
			if status := c.Wait(); status != e2e.KilledStatus {
				t.Errorf("status %d; %q", status, c.Shown())
			}
			if !strings.Contains(c.Shown(), "memory") {
				t.Errorf("memory is not mentioned: %q", c.Shown())
			}
			e2e.CanLogIn(t, u)
		})
	}
}
