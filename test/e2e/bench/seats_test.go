//go:build e2e && bench

package bench

import (
	"bufio"
	"io"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// seats is how many users log in at once. Docker makes one container after the other, so that more
// take longer, in the same ratio.
const seats = 15

// seatsRows measures a class that comes in, as docs/course.md says: the image knows its
// user, and all log in within the same second, each into a new container, and stay. The
// other figure is as many `docker run -d` of the image in parallel, in the network that
// dockersh makes for containers; over ssh, these and as many connections to a bash. The same
// class then uses an image that knows only root. The last row is what that network costs: Docker
// starts a name server for each container in it.
func seatsRows(t *testing.T) []row {
	u := e2e.NewUser(t, "containername = %u_first")
	host := e2e.NewAccount(t, "/bin/bash")
	e2e.CanLogIn(t, u)
	const plain, prepared = "busybox", "dsh-seat"
	e2e.OnHost(t, e2e.CtlPath, "commit", u.Name+"_first", prepared)
	e2e.OnHost(t, e2e.CtlPath, "rm", "--yes", u.Name+"_first")
	into := func(image string) {
		u.Configure(t, "containername = %u-%x", "ephemeral", "imagename = "+image)
		e2e.CanLogIn(t, u) // the broker reads the image once
		e2e.ContainersGone(t, u)
	}
	overSSH := func(a *e2e.Account) func(int) *exec.Cmd {
		argv := e2e.SSHArgv(a, "127.0.0.1", "echo up; cat")
		return func(int) *exec.Cmd { return exec.Command(argv[0], argv[1:]...) }
	}
	comeIn := func(session func(int) *exec.Cmd) func() time.Duration {
		return func() time.Duration { defer e2e.ContainersGone(t, u); return together(t, session) }
	}
	onTheHost := func(int) *exec.Cmd { return asUser(u, e2e.Front, "-c", "echo up; cat") }
	runs := func(image, network string) func() time.Duration {
		return func() time.Duration { return inParallel(t, image, network) }
	}
	// They take seconds, and the image was used before: no round warms up.
	const rounds, forInformation = 5, 3
	into(prepared)
	known := turns(rounds, never, comeIn(onTheHost), runs(prepared, "dockersh"), comeIn(overSSH(u)), comeIn(overSSH(host)))
	networks := turns(forInformation, never, runs(prepared, "dockersh"), runs(prepared, "bridge"))
	into(plain)
	unknown := turns(forInformation, never, comeIn(onTheHost), runs(plain, "dockersh"))
	both := make([]time.Duration, rounds)
	for i := range both {
		both[i] = known[1][i] + known[3][i]
	}
	first := strconv.Itoa(seats) + " first logins at once"
	return []row{
		costRow(first+" vs docker run -d", known[0], known[1], 1.25),
		costRow(first+", image without the user, vs docker run -d", unknown[0], unknown[1], 0),
		costRow(first+" over ssh vs docker run -d and ssh to bash", known[2], both, 1.25),
		costRow(strconv.Itoa(seats)+" docker run -d in the network dockersh vs in docker's own", networks[0], networks[1], 0),
	}
}

// together starts the sessions at once and returns the time until the last one has begun.
// All stay until then.
func together(t *testing.T, session func(i int) *exec.Cmd) time.Duration {
	t.Helper()
	var up, over sync.WaitGroup
	begin := time.Now()
	leave := make(chan struct{})
	for i := range seats {
		cmd := session(i)
		in, err1 := cmd.StdinPipe()
		out, err2 := cmd.StdoutPipe()
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		up.Add(1)
		over.Go(func() {
			err := cmd.Start()
			word := ""
			if err == nil {
				word, err = bufio.NewReader(out).ReadString('\n')
			}
			up.Done()
			if word != "up\n" {
				t.Errorf("seat %d: %q %v", i, word, err)
			}
			<-leave
			_ = in.Close()
			_, _ = io.Copy(io.Discard, out)
			_ = cmd.Wait()
		})
	}
	up.Wait()
	took := time.Since(begin)
	close(leave)
	over.Wait()
	return took
}

// inParallel returns the wall time of as many `docker run -d` in that network.
func inParallel(t *testing.T, image, network string) time.Duration {
	t.Helper()
	name := func(i int) string { return "seat" + strconv.Itoa(i) }
	var all sync.WaitGroup
	begin := time.Now()
	for i := range seats {
		all.Go(func() {
			if err := e2e.TryDocker("run", "-d", "--network", network, "--name", name(i), image, "sleep", "1000"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	took := time.Since(begin)
	names := []string{"rm", "-f"}
	for i := range seats {
		names = append(names, name(i))
	}
	if err := e2e.TryDocker(names...); err != nil {
		t.Error(err)
	}
	return took
}
