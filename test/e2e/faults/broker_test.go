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

// tripwire stands between the broker and the engine, and stops at a chosen request until
// it is released.
type tripwire struct {
	mu    sync.Mutex
	n     int  // requests until then; 0: none is chosen
	after bool // stop when the engine has answered, before the broker gets the answer

	reached, released chan struct{} // of the chosen request
	clients           []net.Conn
}

const tripSocket = "/run/trip.sock"

// start serves the socket.
func (w *tripwire) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("unix", tripSocket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, c := range w.clients { // the broker keeps some for later
			c.Close()
		}
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.mu.Lock()
			w.clients = append(w.clients, c)
			w.mu.Unlock()
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
	hold := make(chan func(), 1)
	go func() {
		defer close(answers)
		buf := make([]byte, 64<<10)
		for {
			n, err := engine.Read(buf)
			select {
			case stop := <-hold: // this answer never arrives
				stop()
				client.Close()
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
			switch stop, after := w.step(); {
			case stop != nil && after:
				hold <- stop
			case stop != nil:
				stop()
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

// step counts a request. At the chosen one it returns the function that stops there.
func (w *tripwire) step() (stop func(), after bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n == 0 {
		return nil, false
	}
	if w.n--; w.n > 0 {
		return nil, false
	}
	reached, released := w.reached, w.released
	return func() { close(reached); <-released }, w.after
}

// choose chooses a request. reached is closed when it came; release lets it go, and
// chooses none.
func (w *tripwire) choose(n int, after bool) (reached <-chan struct{}, release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n, w.after, w.reached, w.released = n, after, make(chan struct{}), make(chan struct{})
	released := w.released
	return w.reached, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.n = 0
		close(released)
	}
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
	forward := []string{"reverseforward = " + e2e.Port + ":8022"} // to the host's sshd
	forwarded := func(t *testing.T, u *e2e.Account) {
		e2e.SSH(t, u, "nc 127.0.0.1 8022 </dev/null | head -c 3").Want(t, "SSH", "", 0)
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
		{"made", forward, none, command, func(t *testing.T, u *e2e.Account) { one(t, u); forwarded(t, u) }},
		{"started again", forward, func(t *testing.T, u *e2e.Account) {
			work(t, u)
			e2e.OnHost(t, "docker", "stop", "-t", "1", u.Container(t))
		}, command, func(t *testing.T, u *e2e.Account) { there(t, u); forwarded(t, u) }},
		{"recreated", []string{"onchange = recreate"}, func(t *testing.T, u *e2e.Account) {
			u.Configure(t, "onchange = recreate", "dockersocket = "+tripSocket)
			work(t, u)
			u.Configure(t, "onchange = recreate", "dockersocket = "+tripSocket, "hostname = recreated")
		}, command, func(t *testing.T, u *e2e.Account) {
			e2e.Eventually(t, "it is recreated", func() bool { return e2e.SSH(t, u, "hostname").Stdout == "recreated\n" })
			one(t, u)
		}},
		{"limits changed", []string{"onchange = apply"}, func(t *testing.T, u *e2e.Account) {
			u.Configure(t, "onchange = apply", "dockersocket = "+tripSocket, "memory = 64m")
			work(t, u)
			u.Configure(t, "onchange = apply", "dockersocket = "+tripSocket, "memory = 96m")
		}, command, func(t *testing.T, u *e2e.Account) {
			there(t, u)
			if got := e2e.Inspect(t, u.Container(t), "{{.HostConfig.Memory}}"); got != "100663296" {
				t.Errorf("memory %s", got)
			}
		}},
		{"carried over", []string{"onchange = apply"}, func(t *testing.T, u *e2e.Account) {
			u.Configure(t, "onchange = apply", "dockersocket = "+tripSocket, "hostname = before")
			work(t, u)
			u.Configure(t, "onchange = apply", "dockersocket = "+tripSocket, "hostname = after")
		}, command, func(t *testing.T, u *e2e.Account) {
			there(t, u)
			e2e.Eventually(t, "it is carried over", func() bool {
				_ = os.Remove(e2e.RunDir + "/c/" + u.Name + "_dockersh/kept") // try again at once
				return e2e.SSH(t, u, "hostname").Stdout == "after\n"
			})
			there(t, u)
		}},
		{"given other groups", nil, func(t *testing.T, u *e2e.Account) {
			e2e.OnHost(t, "groupadd", "-f", "dshcomes")
			e2e.OnHost(t, "sh", "-c", "gpasswd -d "+u.Name+" dshcomes || true")
			work(t, u)
			u.Join(t, "dshcomes")
		}, command, func(t *testing.T, u *e2e.Account) {
			there(t, u)
			e2e.SSH(t, u, "id -Gn").Want(t, u.Name+" dshcomes\n", "", 0)
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

// moments returns at which requests something is killed, from the first on so many apart,
// and whether after the engine has answered or before it is asked. With STEPS in the
// environment it is every request, before and after; otherwise some, after.
func moments(apart int) (first, then int, after []bool) {
	if os.Getenv("STEPS") != "" {
		return 1, 1, []bool{true, false}
	}
	return 1 + rand.IntN(apart), apart, []bool{true}
}

// A victim is what is killed, and comes back.
type victim struct {
	kill, back func(t *testing.T)
	apart      int  // see moments
	beside     bool // it comes back while the login that met it goes on
}

// Wherever a broker is killed, the next one removes what should be gone, and nothing is
// missing that should be there.
func TestBrokerKilledAtAnyStepLeavesAndLosesNothing(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "other doors have no broker to start again")
	killAtEachStep(t, victim{apart: 3,
		kill: func(t *testing.T) { e2e.Broker.Signal(syscall.SIGKILL) },
		back: func(t *testing.T) {
			if err := e2e.Broker.Start(); err != nil {
				t.Fatal(err)
			}
		},
	})
}

// The engine and its containers are away for a moment, and the broker goes on.
func TestEngineKilledAtAnyStepLeavesAndLosesNothing(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "the broker does the same behind every door")
	killAtEachStep(t, victim{apart: 4, beside: true,
		kill: func(t *testing.T) { e2e.DockerDaemon(t, "kill") },
		back: func(t *testing.T) { e2e.DockerDaemon(t, "start") },
	})
}

func TestPowerCutAtAnyStepLeavesAndLosesNothing(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "a service looks for what a power cut left")
	killAtEachStep(t, victim{apart: 4,
		kill: func(t *testing.T) { e2e.PoweredDocker.CutPower(t) },
		back: func(t *testing.T) { e2e.PoweredDocker.Boot(t) },
	})
}

func killAtEachStep(t *testing.T, v victim) {
	var wire tripwire
	wire.start(t)
	for _, p := range passages() {
		t.Run(p.name, func(t *testing.T) {
			u := e2e.NewUser(t, append([]string{"dockersocket = " + tripSocket}, p.lines...)...)
			first, apart, moments := moments(v.apart)
			for step := first; ; step += apart {
				tripped := false
				for _, after := range moments {
					p.ready(t, u)
					reached, release := wire.choose(step, after)
					passed := make(chan struct{})
					go func() { defer close(passed); p.pass(u) }()
					select {
					case <-reached:
						tripped = true
						v.kill(t)
						release()
						if !v.beside {
							<-passed
						}
						v.back(t)
						<-passed
					case <-passed:
						release()
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
