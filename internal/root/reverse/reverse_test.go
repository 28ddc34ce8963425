package reverse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/netns"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/root/carrier"
	"github.com/dockersh/dockersh/internal/root/state"
)

// The program is a carrier, too, as dockersh-bridge is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == carrier.Option {
		os.Exit(carrier.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// world is a service on the loopback of the host, and a container.
type world struct {
	*testing.T
	Starter
	dir     state.ContainerDir
	one     proc.Stat
	ns      *os.File
	end     func() // of process 1
	forward string // of the service to port 80
	full    atomic.Bool
	running atomic.Int32
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root enters networks")
	}
	service, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Close() })
	go func() {
		for {
			c, err := service.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("hello"))
			_ = c.Close()
		}
	}()
	w := &world{T: t, Starter: Starter{Program: "/proc/self/exe", Network: "/proc/self/ns/net", Log: slog.New(slog.DiscardHandler)}, dir: state.ContainerDir(t.TempDir()),
		forward: fmt.Sprintf("%d:80", service.Addr().(*net.TCPAddr).Port)}
	w.Acquire = func() bool { w.running.Add(1); return !w.full.Load() || w.running.Add(-1) < 0 }
	w.Release = func() { w.running.Add(-1) }
	w.start()
	return w
}

// start starts the container.
func (w *world) start() {
	w.Helper()
	cmd := exec.Command("/bin/sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := cmd.Start(); err != nil {
		w.Skip(err)
	}
	end := sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	w.Cleanup(end)
	w.Cleanup(func() {
		end()
		w.eventually("the carrier ends with the container", func() bool { return len(w.carriers()) == 0 })
	})
	var err error
	if w.one, err = proc.Of(cmd.Process.Pid); err != nil {
		w.Fatal(err)
	}
	if w.ns, err = netns.Of(w.one); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = w.ns.Close() })
	w.inside(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		lo, err := unix.NewIfreq("lo")
		if err == nil {
			lo.SetUint16(unix.IFF_UP)
			err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
		}
		return err
	})
	w.end = end
}

// inside runs f in the network of the container.
func (w *world) inside(f func() error) {
	w.Helper()
	var err error
	if enterErr := netns.In(w.ns, func() { err = f() }); enterErr != nil || err != nil {
		w.Fatal(enterErr, err)
	}
}

// get returns what is read from a port of the container.
func (w *world) get(port int) string {
	w.Helper()
	fd := -1
	w.inside(func() (err error) {
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		limit := unix.NsecToTimeval((10 * time.Second).Nanoseconds())
		_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
		_ = unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
		return nil
	})
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	text, _ := io.ReadAll(f)
	return string(text)
}

func (w *world) eventually(what string, is func() bool) {
	w.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.Fatal("not true in time: ", what)
		}
	}
}

// carriers returns the processes that carry the forward.
func (w *world) carriers() (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		if text, _ := os.ReadFile(path); bytes.Contains(text, []byte("\x00"+carrier.Option+"\x00"+w.forward+"\x00")) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}

func (w *world) ensure(want error, forwards ...string) {
	w.Helper()
	failed := w.Ensure(w.Context(), w.dir, w.one, forwards)
	if want == nil && len(failed) > 0 || want != nil && (len(failed) != 1 || failed[0].Forward != forwards[len(forwards)-1] || !errors.Is(failed[0].Err, want)) {
		w.Errorf("%q: %v, want %v", forwards, failed, want)
	}
}

func TestServiceOfTheHostIsReachedInTheContainerAsLongAsItRuns(t *testing.T) {
	w := newWorld(t)
	w.ensure(nil, w.forward)
	if got := w.get(80); got != "hello" {
		t.Errorf("read %q", got)
	}
	w.end()
	w.eventually("the carrier ends", func() bool { return len(w.carriers()) == 0 })
	w.start()
	if got := w.get(80); got != "" {
		t.Errorf("after a restart, before a login: %q", got)
	}
	w.ensure(nil, w.forward)
	if got := w.get(80); got != "hello" {
		t.Errorf("after a restart: %q", got)
	}
}

func TestManyLoginsAtOnceStartOneCarrier(t *testing.T) {
	w := newWorld(t)
	var logins sync.WaitGroup
	for range 16 {
		logins.Go(func() { w.ensure(nil, w.forward) })
	}
	logins.Wait()
	if pids := w.carriers(); len(pids) != 1 {
		t.Errorf("carriers %v", pids)
	}
	if got := w.get(80); got != "hello" {
		t.Errorf("read %q", got)
	}
	w.ensure(ErrStarted, w.forward, "1:1")
}

func TestCarrierThatWasKilledIsStartedByTheNextLogin(t *testing.T) {
	w := newWorld(t)
	w.ensure(nil, w.forward)
	for _, pid := range w.carriers() {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	w.eventually("it is killed", func() bool { return len(w.carriers()) == 0 })
	w.ensure(nil, w.forward)
	if got := w.get(80); got != "hello" {
		t.Errorf("read %q", got)
	}
}

func TestCarriersAreCounted(t *testing.T) {
	w := newWorld(t)
	w.full.Store(true)
	w.ensure(ErrTooMany, w.forward)
	w.full.Store(false)
	w.ensure(nil, w.forward)
	if n := w.running.Load(); n != 1 {
		t.Errorf("%d count", n)
	}
	w.end()
	w.eventually("none counts", func() bool { return w.running.Load() == 0 })
	w.start()
	w.Program = "/nonexistent"
	w.ensure(os.ErrNotExist, w.forward)
	if n := w.running.Load(); n != 0 {
		t.Errorf("%d count that were not started", n)
	}
}

func TestPortThatIsTakenCostsNoOtherForward(t *testing.T) {
	w := newWorld(t)
	theirs := -1
	w.inside(func() (err error) { theirs, err = listen(81); return err })
	w.ensure(ErrTaken, "1:81")
	if pids := w.carriers(); len(pids) > 0 {
		t.Errorf("nothing is carried, by %v", pids)
	}
	w.ensure(ErrTaken, w.forward, "1:81")
	if got := w.get(80); got != "hello" {
		t.Errorf("read %q", got)
	}
	_ = unix.Close(theirs)
	w.ensure(ErrStarted, w.forward, "1:81")
}

func TestProcessOneThatIsGoneOrOnTheHostHasNoForward(t *testing.T) {
	w := newWorld(t)
	me, err := proc.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	w.one = me
	w.ensure(netns.ErrHost, w.forward)
	w.one.Start++
	w.ensure(proc.ErrGone, w.forward)
}

func TestCarrierHasNoRightsAndNothingOpenButItsSockets(t *testing.T) {
	w := newWorld(t)
	w.ensure(nil, w.forward)
	if got := w.get(80); got != "hello" { // it has begun
		t.Errorf("read %q", got)
	}
	pids := w.carriers()
	if len(pids) != 1 {
		t.Fatalf("carriers %v", pids)
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pids[0]))
	for _, path := range tasks {
		text, _ := os.ReadFile(path)
		status := string(text)
		for _, line := range []string{"Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534", "Groups:\t ", "NoNewPrivs:\t1",
			"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapAmb:\t0000000000000000"} {
			if !strings.Contains(status, "\n"+line+"\n") {
				t.Errorf("%s has no line %q:\n%s", path, line, status)
			}
		}
	}
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pids[0]))
	if len(fds) < 5 || len(tasks) == 0 {
		t.Errorf("%d descriptors, %d threads", len(fds), len(tasks))
	}
	for _, fd := range fds {
		to, err := os.Readlink(fd)
		if err == nil && !strings.HasPrefix(to, "socket:") && !strings.HasPrefix(to, "anon_inode:") && !strings.HasPrefix(to, "pipe:") &&
			to != "/dev/null" && !strings.HasPrefix(to, "/sys/fs/cgroup/") && to != string(w.dir)+"/reverse" {
			t.Errorf("%s is %s", fd, to)
		}
	}
	if env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pids[0])); err != nil || len(env) > 0 {
		t.Errorf("environment %q %v", env, err)
	}
}
