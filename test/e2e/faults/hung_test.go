//go:build e2e

package faults

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/test/e2e"
)

// hang mounts a file system that answers nothing, as of a server that is down.
func hang(t *testing.T, dir string) {
	t.Helper()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("this machine has no FUSE: ", err)
	}
	if err := unix.Mount("hung", dir, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other", fd)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd); _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

// hangForGood is hang with a server that takes each question, and never answers: not even
// SIGKILL ends a process that waits for it.
func hangForGood(t *testing.T, dir string) {
	t.Helper()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skip("this machine has no FUSE: ", err)
	}
	if err := unix.Mount("hung", dir, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other", fd)); err != nil {
		t.Fatal(err)
	}
	end, ended := make(chan bool), make(chan bool)
	t.Cleanup(func() {
		close(end)
		<-ended
		_ = unix.Close(fd)
		_ = unix.Unmount(dir, unix.MNT_DETACH)
	})
	go func() {
		defer close(ended)
		question := make([]byte, 1<<18)
		for {
			select {
			case <-end:
				return
			case <-time.After(5 * time.Millisecond):
			}
			const size, initOp = 16 + 64, 26 // of fuse(4): struct fuse_out_header and fuse_init_out
			n, err := unix.Read(fd, question)
			if err != nil || n < 16 || binary.NativeEndian.Uint32(question[4:]) != initOp {
				continue
			}
			answer := make([]byte, size)
			binary.NativeEndian.PutUint32(answer, size)
			copy(answer[8:16], question[8:16])            // which question
			binary.NativeEndian.PutUint32(answer[16:], 7) // version of the protocol
			binary.NativeEndian.PutUint32(answer[20:], 31)
			_, _ = unix.Write(fd, answer)
		}
	}()
}

// ctlInTime runs dockershctl, which must end by itself, and returns all that it wrote.
func ctlInTime(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	cmd := exec.Command(e2e.CtlPath, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan bool)
	go func() { _ = cmd.Wait(); close(ended) }()
	select {
	case <-ended:
		return out.String()
	case <-time.After(e2e.Limit):
		t.Errorf("dockershctl %q does not end", args)
		_ = cmd.Process.Kill()
		return ""
	}
}

func TestNoCommandWaitsForAHomeThatDoesNotAnswer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	for what, hang := range map[string]func(*testing.T, string){"down": hang, "for good": hangForGood} {
		t.Run(what, func(t *testing.T) {
			u := e2e.NewUser(t, "enableuserconfig", "mounthome", "mounthomefrom = /srv/hung-%u")
			inside := "/srv/hung-" + u.Name
			e2e.OnHost(t, "install", "-d", "-o", u.Name, inside)
			t.Cleanup(func() { _ = os.Remove(inside) })
			e2e.CanLogIn(t, u)
			name := u.Name + "_dockersh"
			ctlInTime(t, "stop", name)
			// A process of the user, whose own broker may have sessions.
			run := fmt.Sprintf("/tmp/dockersh-%d", u.UID)
			e2e.OnHost(t, "install", "-d", "-m", "700", "-o", u.Name, run)
			t.Cleanup(func() { _ = os.Remove(run) })
			in, _ := e2e.StartPiped(t, e2e.AsUser(u, "sh", "-c", "read x"))
			t.Cleanup(func() { _ = in.Close() })
			for _, dir := range []string{u.Home, inside, run} {
				hang(t, dir)
			}
			for _, c := range []struct {
				args []string
				want string
			}{
				{[]string{"explain", u.Name}, "~/.dockersh is ignored: it does not answer"},
				{[]string{"doctor", "--no-login", u.Name}, "unanswered: " + u.Name + ": " + u.Home + " does not answer"},
				{[]string{"doctor", u.Name}, "nobody was logged in"},
				{[]string{"doctor", "--login", u.Name, u.Name}, "a login fails: " + u.Home + " does not answer"},
				{[]string{"start", name}, inside + " does not answer"},
				{[]string{"restart", name}, inside + " does not answer"},
				{[]string{"ls"}, name},
				{[]string{"sessions"}, "a user's directory of session entries did not answer in time"},
				{[]string{"rm", "--yes", name}, "removed"},
			} {
				if out := ctlInTime(t, c.args...); strings.Count(out, c.want) != 1 && c.want != "" {
					t.Errorf("dockershctl %q: %q", c.args, out)
				}
			}
		})
	}
}

func TestHomesThatDoNotAnswerHoldNoOtherUserUp(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "through the direct door users do not wait for each other")
	const logins = 4
	for range 2 {
		u := e2e.NewUser(t, "containername = %u-%x", "ephemeral", "mounthome", "mounthomefrom = /srv/hung-%u")
		dir := "/srv/hung-" + u.Name
		e2e.OnHost(t, "install", "-d", "-o", u.Name, dir)
		t.Cleanup(func() { _ = os.Remove(dir) })
		hang(t, dir)
		for range logins {
			cmd := e2e.AsUser(u, e2e.Front, "-c", "true")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		}
		e2e.Eventually(t, "all logins wait for their containers", func() bool {
			waiting, _ := filepath.Glob(fmt.Sprintf("%s/s/%d.*~", u.StateDir(), u.UID))
			return len(waiting) == logins
		})
	}
	other := e2e.NewUser(t)
	out, err := exec.Command("timeout", "20", "setpriv", fmt.Sprintf("--reuid=%d", other.UID), fmt.Sprintf("--regid=%d", other.GID), "--clear-groups", e2e.Front, "-c", "echo works").CombinedOutput()
	if string(out) != "works\n" || err != nil {
		t.Errorf("the first login of another user: %q %v", out, err)
	}
}

// loginInTime runs a login and returns what it wrote, and whether it ended by itself. A process
// that waits for a file system may not end even when it is killed.
func loginInTime(t *testing.T, u *e2e.Account) (out string, ended bool) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := e2e.AsUser(u, e2e.Front, "-c", "echo works")
	for _, g := range strings.Fields(e2e.OnHost(t, "id", "-G", u.Name)) { // Docker's, for the direct door
		gid, _ := strconv.ParseUint(g, 10, 32)
		cmd.SysProcAttr.Credential.Groups = append(cmd.SysProcAttr.Credential.Groups, uint32(gid))
	}
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan bool)
	go func() { _ = cmd.Wait(); close(over) }()
	select {
	case <-over:
		ended = true
	case <-time.After(15 * time.Second): // less than the front waits for a broker
	}
	_ = r.SetReadDeadline(time.Now().Add(time.Second))
	all := make([]byte, 4096)
	n, _ := r.Read(all)
	_ = cmd.Process.Kill()
	return string(all[:n]), ended
}

// Without a service, a broker that waits for the directory leaves the login to another program.
func TestLoginWhoseDirectoriesDoNotAnswerIsRefused(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	for what, hang := range map[string]func(*testing.T, string){"down": hang, "for good": hangForGood} {
		t.Run(what, func(t *testing.T) {
			u := e2e.NewUser(t, "mounthome", "mounthomefrom = /srv/hung-%u")
			dir := "/srv/hung-" + u.Name
			e2e.OnHost(t, "install", "-d", "-o", u.Name, dir)
			t.Cleanup(func() { _ = os.Remove(dir) })
			e2e.CanLogIn(t, u)
			e2e.OnHost(t, "docker", "stop", "-t", "1", u.Name+"_dockersh")
			hang(t, dir)
			for range 3 {
				if out, ended := loginInTime(t, u); !ended || !strings.Contains(out, "does not answer") {
					t.Errorf("ended: %v, %q", ended, out)
				}
			}
		})
	}
}

func TestUsersFileThatDoesNotAnswerHoldsNoLoginUpThatDoesWithout(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	for what, hang := range map[string]func(*testing.T, string){"down": hang, "for good": hangForGood} {
		for line, want := range map[string]string{"": "works\n", "enableuserconfig": "~/.dockersh is ignored: it does not answer\nworks\n"} {
			t.Run(what+" "+line, func(t *testing.T) {
				u := e2e.NewUser(t, line)
				e2e.CanLogIn(t, u)
				hang(t, u.Home)
				out, ended := loginInTime(t, u)
				// Nothing ends a process that waits for such a file system.
				if !strings.Contains(out, want) || !ended && what == "down" {
					t.Errorf("ended: %v, %q", ended, out)
				}
			})
		}
	}
}
