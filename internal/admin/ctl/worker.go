package ctl

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
)

// A command looks at places of users, and a file system there may never answer. A thread
// that waits for it cannot always be killed, and its process does not end before it. So the
// command runs in a worker, and dockershctl ends once that has reported the exit code,
// whatever becomes of the worker.

// asWorker is the first argument of a worker.
const asWorker = "--worker"

// reportFD is the worker's descriptor for its exit code, a byte.
const reportFD = 3

// work runs a command as the worker, and returns its exit code.
func work(command func() int) int {
	unix.CloseOnExec(reportFD)
	code := command()
	reportEnd(code)
	return code
}

const (
	// endLimit is how long a command has to end once it is interrupted.
	endLimit = 3 * time.Second
	// exitLimit is how long a worker has to exit once it has reported.
	exitLimit = 200 * time.Millisecond
)

// newWorker returns a worker for the arguments of dockershctl.
func newWorker(args []string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", append([]string{asWorker}, args...)...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd
}

// runWorker runs a worker and returns its exit code. It passes signals on: a terminal sends
// them to both processes, kill(1) to this one alone. A worker that does not end within
// endLimit, or until the second signal, is killed and left.
func runWorker(worker *exec.Cmd, errs io.Writer) int {
	runtime.LockOSThread() // the end of the thread that starts the worker is the worker's
	defer runtime.UnlockOSThread()
	report, reportIn, err := os.Pipe()
	if err != nil {
		cli.PrintError(errs, err)
		return failed
	}
	defer report.Close()
	worker.ExtraFiles = []*os.File{reportIn}
	worker.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, unix.SIGTERM)
	defer signal.Stop(signals)
	err = worker.Start()
	_ = reportIn.Close()
	if err != nil {
		cli.PrintError(errs, err)
		return failed
	}
	ended := make(chan int, 1)
	go func() { ended <- awaitEnd(worker, report) }()
	var limit <-chan time.Time
	for {
		select {
		case code := <-ended:
			return code
		case s := <-signals:
			if limit == nil {
				limit = time.After(endLimit)
				_ = worker.Process.Signal(s)
				continue
			}
		case <-limit:
			cli.PrintError(errs, errors.New("interrupted: this host does not answer"))
		}
		_ = worker.Process.Kill()
		return failed
	}
}

// awaitEnd returns the exit code that a worker reports, or the one with which it ends.
func awaitEnd(worker *exec.Cmd, report io.Reader) int {
	reported, ended := make(chan int, 1), make(chan int, 1)
	go func() {
		var code [1]byte
		if _, err := io.ReadFull(report, code[:]); err == nil {
			reported <- int(code[0])
		}
	}()
	go func() {
		_ = worker.Wait() // its state has more
		code, sig := exitstatus.Split(uint32(worker.ProcessState.Sys().(syscall.WaitStatus)))
		if sig != 0 {
			code = exitstatus.SignalCode(sig)
		}
		ended <- code
	}()
	select {
	case code := <-ended:
		return code
	case code := <-reported:
		select {
		case <-ended:
		case <-time.After(exitLimit):
		}
		return code
	}
}

// reportEnd reports a worker's exit code. Whoever waits for the end of its output need not
// wait for its own end.
func reportEnd(code int) {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		for fd := range 3 {
			_ = unix.Dup3(null, fd, 0)
		}
	}
	_, _ = unix.Write(reportFD, []byte{byte(code)}) // without a reader the exit code counts
}
