//go:build e2e

package doors

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/dockersh/dockersh/test/e2e"
)

// randomStarts is how often the setuid shell is started at random. STARTS=10000 in the
// environment takes some minutes.
var randomStarts = cmp.Or(count(os.Getenv("STARTS")), 1500)

func count(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// TestRandomStartsOfTheSetuidShellChangeNoRootFiles starts a setuid shell with any
// environment, descriptors, name and limits, and a signal at any moment. No root file may
// change or appear, no broker may stay, and nothing may hang.
func TestRandomStartsOfTheSetuidShellChangeNoRootFiles(t *testing.T) {
	e2e.Run(t, e2e.SetuidDoor, "it starts a setuid shell whatever the door is: one run is enough")
	u := e2e.NewAccount(t, "/bin/bash")
	shell := e2e.SetuidShell(t)
	if out, err := e2e.AsUser(u, shell, "-c", "echo works").CombinedOutput(); string(out) != "works\n" {
		t.Fatalf("%q %v", out, err)
	}
	e2e.OnHost(t, "install", "-d", "-m", "700", e2e.RunDir+"/refused") // as the first refused login does
	before := rootFiles(t)
	attack(t, u, "starts")()
	checkNothingLeft(t, u, before)
	if out, err := e2e.AsUser(u, shell, "-c", "echo works").CombinedOutput(); string(out) != "works\n" {
		t.Errorf("afterwards: %q %v", out, err)
	}
}

// starts is an attacker.
func starts() error {
	if err := os.Chdir(e2e.Homes); err != nil {
		return err
	}
	const workers = 4
	errs := make(chan error, workers)
	var done sync.WaitGroup
	var mu sync.Mutex
	ends := map[string]int{}
	for w := range workers {
		done.Add(1)
		go func() {
			defer done.Done()
			r := rand.New(rand.NewPCG(uint64(w), uint64(time.Now().UnixNano())))
			for range randomStarts / workers {
				end, err := randomStart(r)
				if err != nil {
					errs <- err
					return
				}
				mu.Lock()
				ends[end]++
				mu.Unlock()
			}
		}()
	}
	done.Wait()
	select {
	case err := <-errs:
		return err
	default:
	}
	if ends["exit 0"] == 0 || len(ends) < 4 {
		return fmt.Errorf("too few kinds of ends: %v", ends)
	}
	fmt.Println("ready after", ends)
	return nil
}

var (
	strangeEnv = []string{
		"LD_PRELOAD=/nonexistent/x.so", "LD_AUDIT=x", "GODEBUG=schedtrace=1", "GOTRACEBACK=crash", "GOMEMLIMIT=1", "GOGC=1", "GOMAXPROCS=64",
		"DOCKER_HOST=tcp://127.0.0.1:1", "DOCKER_CONFIG=/tmp", "PATH=", "HOME=/", "HOME=", "ENV=/x", "IFS=c", "LISTEN_FDS=1", "TZ=:/etc/shadow",
		"SSH_ORIGINAL_COMMAND=true", "SSH_CONNECTION=::1 1 ::1 22", "=", "x", "TERM=../../etc/passwd",
	}
	strangeNames   = []string{"dockersh", "-dockersh", "", "-", "--one-shot", "/bin/sh", "\xff"}
	strangeArgs    = [][]string{{"-c", "true"}, {"-c", "true"}, {"-c", "true"}, {"-c", "exit 3"}, {"-c"}, {"--one-shot"}, {"-x"}, {"-c", "kill -9 $$"}, {}}
	strangeSignals = []syscall.Signal{1, 2, 3, 6, 9, 9, 9, 11, 13, 14, 15, 17, 18, 19, 20, 23, 24, 33, 34, 40}
	strangeLimits  = []int{syscall.RLIMIT_NOFILE, syscall.RLIMIT_FSIZE, syscall.RLIMIT_AS, syscall.RLIMIT_DATA, syscall.RLIMIT_STACK, syscall.RLIMIT_CORE, 6 /* NPROC */, 11 /* SIGPENDING */, 8 /* MEMLOCK */}
)

// randomStart starts the shell once and returns how it ended.
func randomStart(r *rand.Rand) (string, error) {
	argv := append([]string{strangeNames[r.IntN(len(strangeNames))]}, strangeArgs[r.IntN(len(strangeArgs))]...)
	var env []string
	for _, e := range strangeEnv {
		if r.IntN(3) == 0 {
			env = append(env, e)
		}
	}
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer null.Close()
	var files []uintptr
	for range 3 + r.IntN(40) {
		fd := null.Fd()
		if r.IntN(4) == 0 {
			fd = ^uintptr(0) // closed
		}
		files = append(files, fd)
	}
	pid, err := syscall.ForkExec(e2e.Front+"-setuid", argv, &syscall.ProcAttr{Env: env, Files: files, Sys: &syscall.SysProcAttr{Setsid: r.IntN(2) == 0}})
	if err != nil {
		return "", err
	}
	if r.IntN(4) == 0 {
		// At any moment of its start. A root process refuses, as it should.
		limit := syscall.Rlimit{Cur: uint64(r.IntN(8)), Max: 1 << 30}
		_, _, _ = syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(strangeLimits[r.IntN(len(strangeLimits))]), uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	}
	var sig syscall.Signal
	if r.IntN(3) > 0 {
		time.Sleep(time.Duration(r.IntN(12000)) * time.Microsecond)
		sig = strangeSignals[r.IntN(len(strangeSignals))]
		_ = syscall.Kill(pid, sig)
		if sig == syscall.SIGSTOP || sig == syscall.SIGTSTP {
			time.Sleep(time.Duration(r.IntN(5000)) * time.Microsecond)
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	}
	return waitFor(pid, sig, argv, env)
}

// crashes reports whether a signal makes Go's runtime print why it dies. At a bad moment
// the runtime then waits for a lock of its own until it is killed, which hurts only the
// user who sent the signal.
func crashes(sig syscall.Signal) bool {
	return sig == syscall.SIGQUIT || sig == syscall.SIGABRT || sig == syscall.SIGSEGV || sig == syscall.SIGXCPU
}

func waitFor(pid int, sig syscall.Signal, argv, env []string) (string, error) {
	var status syscall.WaitStatus
	patience := 2 * e2e.Limit
	if crashes(sig) {
		patience = 5 * time.Second
	}
	for end := time.Now().Add(patience); ; time.Sleep(200 * time.Microsecond) {
		got, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil)
		switch {
		case err != nil && !errors.Is(err, syscall.EINTR):
			return "", err
		case got == pid && status.Exited():
			return fmt.Sprintf("exit %d", status.ExitStatus()), nil
		case got == pid:
			return status.Signal().String(), nil
		case time.Now().After(end):
			_ = syscall.Kill(pid, syscall.SIGKILL)
			if patience < e2e.Limit {
				_, err := syscall.Wait4(pid, &status, 0, nil)
				return "killed in a crash", err
			}
			return "", fmt.Errorf("%q with %q hangs after signal %d", argv, env, sig)
		}
	}
}
