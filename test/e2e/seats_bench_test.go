//go:build e2e && bench

package e2e

import (
	"bufio"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// seats is how many log in at once.
const seats = 30

// seatsRows has a class come in, as the page on courses says: the image is prepared, a
// commit of a seat, and every seat logs in within the same second, into a container of
// its own that is not there yet, and stays. Beside it stand as many `docker run -d` of
// the same image in parallel; over ssh, these and as many connections to a bash.
func seatsRows(t *testing.T) []budget {
	u := newUser(t, front, "containername = %u_first")
	host := newUser(t, "/bin/bash")
	works(t, u)
	const image = "dsh-seat"
	run(t, ctlPath, "commit", u.name+"_first", image)
	run(t, ctlPath, "rm", "--yes", u.name+"_first")
	u.reset(t, "containername = %u-%x", "ephemeral", "imagename = "+image)
	works(t, u) // the image is looked into once
	gone(t, u)
	const rounds = 5
	var ssh, fronts, runs, plain []time.Duration
	for range rounds {
		ssh = append(ssh, together(t, func(int) *exec.Cmd {
			argv := sshArgv(u, "127.0.0.1", "echo up; cat")
			return exec.Command(argv[0], argv[1:]...)
		}))
		gone(t, u)
		fronts = append(fronts, together(t, func(int) *exec.Cmd { return asUser(u, front, "-c", "echo up; cat") }))
		gone(t, u)
		runs = append(runs, inParallel(t, image))
		plain = append(plain, together(t, func(int) *exec.Cmd {
			argv := sshArgv(host, "127.0.0.1", "echo up; cat")
			return exec.Command(argv[0], argv[1:]...)
		}))
	}
	for _, all := range [][]time.Duration{ssh, fronts, runs, plain} {
		slices.Sort(all)
	}
	a, b, c, d := ssh[rounds/2], fronts[rounds/2], runs[rounds/2], plain[rounds/2]
	return []budget{
		{strconv.Itoa(seats) + " first logins at once vs docker run -d", ms(b), ms(c), ratio(b, c), 1.25, false},
		{strconv.Itoa(seats) + " first logins at once over ssh vs docker run -d and ssh to bash", ms(a), ms(c + d), ratio(a, c+d), 1.25, false},
	}
}

// together starts the sessions at once and gives the time until the last of them
// is in. They all stay until then.
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

// inParallel is the wall time of as many `docker run -d`.
func inParallel(t *testing.T, image string) time.Duration {
	t.Helper()
	name := func(i int) string { return "seat" + strconv.Itoa(i) }
	var all sync.WaitGroup
	begin := time.Now()
	for i := range seats {
		all.Go(func() {
			if err := tryDocker("run", "-d", "--name", name(i), image, "sleep", "1000"); err != nil {
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
	if err := tryDocker(names...); err != nil {
		t.Error(err)
	}
	return took
}
