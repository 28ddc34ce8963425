package ctl

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// runScript runs a shell script in place of a worker, and sends a signal to this process
// after each of the pauses.
func runScript(t *testing.T, script string, signals ...time.Duration) (code int, took time.Duration, errs string) {
	t.Helper()
	worker := exec.Command("/bin/sh", "-c", script)
	go func() {
		for _, pause := range signals {
			time.Sleep(pause)
			_ = unix.Kill(os.Getpid(), unix.SIGTERM)
		}
	}()
	var b strings.Builder
	start := time.Now()
	code = runWorker(worker, &b)
	took = time.Since(start)
	if worker.Process != nil {
		_ = worker.Process.Kill()
	}
	return code, took, b.String()
}

func TestExitCodeIsTheOneThatTheWorkerReports(t *testing.T) {
	for script, want := range map[string]int{
		"printf '\\007' >&3; exit 7":   7,
		"printf '\\000' >&3; sleep 60": 0,
		"exit 9":                       9,
		"kill -PIPE $$":                128 + int(unix.SIGPIPE),
		"printf '\\002' >&3; sleep 60": 2,
	} {
		if code, took, errs := runScript(t, script); code != want || took > 10*time.Second || errs != "" {
			t.Errorf("%s: %d after %v, %q", script, code, took, errs)
		}
	}
}

func TestInterruptedCommandMayCleanUp(t *testing.T) {
	const script = "trap 'exit 5' TERM; sleep 60 & wait"
	if code, took, errs := runScript(t, script, 200*time.Millisecond); code != 5 || took > 10*time.Second || errs != "" {
		t.Errorf("%d after %v, %q", code, took, errs)
	}
}

func TestCommandThatDoesNotEndIsGivenUp(t *testing.T) {
	const script = "trap '' TERM; sleep 60"
	code, took, errs := runScript(t, script, 200*time.Millisecond)
	if code != failed || took < endLimit || errs != "dockershctl: error: interrupted: this host does not answer\n" {
		t.Errorf("%d after %v, %q", code, took, errs)
	}
	if code, took, _ := runScript(t, script, 200*time.Millisecond, 200*time.Millisecond); code != failed || took >= endLimit {
		t.Errorf("after a second signal: %d after %v", code, took)
	}
}

func TestWorkerEndsWithTheProcessThatStartedIt(t *testing.T) {
	if os.Getenv("CTL_TEST_PARENT") != "" {
		worker := exec.Command("/bin/sh", "-c", "echo $$; exec sleep 60")
		worker.Stdout = os.Stdout
		os.Exit(runWorker(worker, os.Stderr))
	}
	parent := exec.Command("/proc/self/exe", "-test.run=^TestWorkerEndsWithTheProcessThatStartedIt$")
	parent.Env = append(os.Environ(), "CTL_TEST_PARENT=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 1)
	if _, err := out.Read(first); err != nil {
		t.Fatal(err)
	}
	_ = parent.Process.Kill()
	ended := make(chan bool)
	go func() { // the worker's output ends
		for err == nil {
			_, err = out.Read(first)
		}
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the worker goes on")
	}
	_ = parent.Wait()
}
