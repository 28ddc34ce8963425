//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv("APART") == "" {
		os.Exit(again())
	}
	if name := os.Getenv("ATTACK"); name != "" {
		os.Exit(attackMain(name))
	}
	if err := startWorld(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	code := m.Run()
	if code != 0 {
		keepLogs()
	}
	stopWorld()
	os.Exit(code)
}

// again runs this very test binary inside, for a `go test` without -exec.
func again() int {
	repo, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	steps := [][]string{
		{"sh", "scripts/need", "tests"},
		{"sh", "scripts/images", "build/images"},
		{"make", "-s", "e2e-programs"},
	}
	for _, step := range steps {
		cmd := exec.Command(step[0], step[1:]...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = repo, os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", step, err)
			return 1
		}
	}
	cmd := exec.Command("sh", append([]string{repo + "/scripts/inside"}, os.Args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return cmd.ProcessState.ExitCode()
}
