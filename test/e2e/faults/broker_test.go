//go:build e2e

package faults

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// tripwire stands between the broker and the engine, and kills the broker at a chosen
// request.
type tripwire struct {
	mu    sync.Mutex
	n     int  // requests until then; 0: none is chosen
	after bool // kill the broker when the engine has answered, before it gets the answer
	pid   int
}

const tripSocket = "/run/trip.sock"

// start serves the socket.
func (w *tripwire) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("unix", tripSocket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
}

// carry copies one connection. Each read from the client is one request: ours are small,
// and each is sent after the answer to the one before.
func (w *tripwire) carry(client net.Conn) {
	defer client.Close()
	engine, err := net.Dial("unix", "/run/docker.sock")
	if err != nil {
		return
	}
	defer engine.Close()
	answers := make(chan struct{})
	hold := make(chan int, 1)
	go func() {
		defer close(answers)
		buf := make([]byte, 64<<10)
		for {
			n, err := engine.Read(buf)
			select {
			case pid := <-hold: // this answer never arrives
				_ = syscall.Kill(pid, syscall.SIGKILL)
				return
			default:
			}
			if n > 0 {
				_, _ = client.Write(buf[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if n > 0 {
			switch pid, after := w.step(); {
			case pid != 0 && after:
				hold <- pid
			case pid != 0:
				_ = syscall.Kill(pid, syscall.SIGKILL)
				return
			}
			if _, err := engine.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err == io.EOF {
				_ = engine.(*net.UnixConn).CloseWrite()
			}
			<-answers
			return
		}
	}
}

// step counts a request. At the chosen one it returns the broker's process.
func (w *tripwire) step() (pid int, after bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n == 0 {
		return 0, false
	}
	if w.n--; w.n > 0 {
		return 0, false
	}
	return w.pid, w.after
}

// set chooses the request, 0 for none, and reports whether the last chosen one came.
func (w *tripwire) set(n int, after bool) (tripped bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	tripped = w.n == 0
	w.n, w.after, w.pid = n, after, e2e.Broker.Cmd.Process.Pid
	return tripped
}

// A passage is a part of the life of a container, and what must be true after a crash at
// any step of it.
type passage struct {
	name  string
	lines []string
	ready func(t *testing.T, u *e2e.Account) // before
	pass  func(u *e2e.Account)               // may fail, as the broker is killed
	then  func(t *testing.T, u *e2e.Account) // after, with a new broker
}

func passages() []passage {
	command := func(u *e2e.Account) { _, _ = e2e.TrySSH(u, nil, "true") }
	none := func(t *testing.T, u *e2e.Account) { u.Discard(t) }
	one := func(t *testing.T, u *e2e.Account) {
		e2e.CanLogIn(t, u)
		u.Container(t)
	}
	work := func(t *testing.T, u *e2e.Account) {
		none(t, u)
		e2e.SSH(t, u, "echo work >/tmp/work").Want(t, "", "", 0)
	}
	there := func(t *testing.T, u *e2e.Account) {
		e2e.SSH(t, u, "cat /tmp/work").Want(t, "work\n", "", 0)
		u.Container(t)
	}
	return []passage{
		{"ephemeral, from the login to the removal", []string{"containername = %u-%x", "ephemeral"},
			func(t *testing.T, u *e2e.Account) { e2e.ContainersGone(t, u) },
			func(u *e2e.Account) {
				command(u)
				e2e.Within(e2e.Limit, func() bool { return len(e2e.StateOf(u)) == 0 || !e2e.Broker.Alive() })
			},
			func(t *testing.T, u *e2e.Account) {
				e2e.ContainersGone(t, u)
				e2e.CanLogIn(t, u)
				e2e.ContainersGone(t, u)
			}},
		{"made", nil, none, command, one},
		{"started again", nil, func(t *testing.T, u *e2e.Account) {
			work(t, u)
			e2e.OnHost(t, "docker", "stop", "-t", "1", u.Container(t))
		}, command, there},
		{"recreated", []string{"onchange = recreate"}, func(t *testing.T, u *e2e.Account) {
			u.Configure(t, "onchange = recreate", "dockersocket = "+tripSocket)
			work(t, u)
			u.Configure(t, "onchange = recreate", "dockersocket = "+tripSocket, "hostname = recreated")
		}, command, func(t *testing.T, u *e2e.Account) {
			e2e.Eventually(t, "it is recreated", func() bool { return e2e.SSH(t, u, "hostname").Stdout == "recreated\n" })
			one(t, u)
		}},
		{"stopped when idle", []string{"idletimeout = 1s"}, work, func(u *e2e.Account) {
			e2e.Within(e2e.Limit, func() bool { return stopped(u) || !e2e.Broker.Alive() })
		}, there},
	}
}

func stopped(u *e2e.Account) bool {
	out, _ := exec.Command("docker", "ps", "-q", "--filter", "label=dockersh.user="+u.Name).Output()
	return len(out) == 0
}

// moments returns at which requests the broker is killed, from the first on so many apart,
// and whether after the engine has answered or before it is asked. With STEPS in the
// environment it is every request, before and after; otherwise every third, after.
func moments() (first, apart int, after []bool) {
	if os.Getenv("STEPS") != "" {
		return 1, 1, []bool{true, false}
	}
	return 1 + rand.IntN(3), 3, []bool{true}
}

// Wherever a broker is killed, the next one removes what should be gone, and nothing is
// missing that should be there.
func TestBrokerKilledAtAnyStepLeavesAndLosesNothing(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "other doors have no broker to start again")
	var wire tripwire
	wire.start(t)
	for _, p := range passages() {
		t.Run(p.name, func(t *testing.T) {
			u := e2e.NewUser(t, append([]string{"dockersocket = " + tripSocket}, p.lines...)...)
			first, apart, moments := moments()
			for step := first; ; step += apart {
				tripped := true
				for _, after := range moments {
					p.ready(t, u)
					wire.set(step, after)
					p.pass(u)
					if tripped = wire.set(0, false); tripped {
						e2e.Eventually(t, "the broker has ended", func() bool { return !e2e.Broker.Alive() })
						if err := e2e.Broker.Start(); err != nil {
							t.Fatal(err)
						}
					}
					p.then(t, u)
					if t.Failed() {
						t.Fatalf("killed at request %d, answered %v", step, after)
					}
				}
				if !tripped {
					if step < 3 {
						t.Errorf("only %d requests", step-1)
					}
					return
				}
			}
		})
	}
}

// The steps between two requests to the engine are short: a clock hits them.
func TestBrokerKilledAtAnyTimeLosesNothing(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "other doors have no broker to start again")
	u := e2e.NewUser(t, "containername = %u-%x", "ephemeral")
	stays := e2e.NewUser(t)
	e2e.SSH(t, stays, "echo work >~/work").Want(t, "", "", 0)
	for i := range 30 {
		done := make(chan struct{})
		go func() { defer close(done); _, _ = e2e.TrySSH(u, nil, "true") }()
		time.Sleep(time.Duration(i) * 40 * time.Millisecond)
		e2e.Broker.Restart(t, syscall.SIGKILL)
		<-done
		e2e.SSH(t, stays, "cat ~/work").Want(t, "work\n", "", 0)
	}
	e2e.ContainersGone(t, u)
	if left, _ := os.ReadDir(e2e.RunDir + "/c"); len(left) == 0 {
		t.Error(fmt.Errorf("the test looked in the wrong place"))
	}
}
