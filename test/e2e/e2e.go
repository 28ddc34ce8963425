// Package e2e is the world of the end-to-end tests: a real ssh client, a real
// sshd, a real engine, accounts, terminals. The tests stand in the folders below,
// one for each topic. Each names its doors and engines in its first line (see
// Run), and most run for a user whose shell is /bin/bash as well as for users
// whose shell is dockersh: both must agree unless the test states why not.
//
// The tests need root and the build tag e2e. They run apart from the host
// (scripts/apart), and what they make is gone afterwards.
//
//	make e2e
//	go test -tags e2e -run TestExit ./test/e2e/session
package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The paths of a run. All are private to it: see scripts/apart.
const (
	Prefix     = "/run/dsh" // the programs, as `make install` lays them out
	Settings   = "/etc/dockershrc"
	RunDir     = "/run/dockersh"
	Recordings = "/run/recordings"
	Scratch    = "/run/e2e" // keys, logs, the configuration of sshd
	// SessionsLog is root's file of the history of sessions.
	SessionsLog = "/var/log/dockersh/sessions.log"
	Inventory   = "/var/lib/dockersh/containers"
)

// Homes has the homes of the accounts.
var Homes = "/run/home"

// Limit is how long a test waits for what should happen at once, on a slow and
// busy machine.
const Limit = 30 * time.Second

// The users that most tests compare. Boxed has bash in a Debian container, so that
// Boxed can do what Plain does on the host; Tiny has the defaults; Recorded is Boxed
// with recorded terminals.
var Plain, Boxed, Tiny, Recorded *Account

// Main runs the tests of a package. The world begins with the first test that Run
// lets through.
func Main(m *testing.M) {
	if os.Getenv("APART") == "" {
		os.Exit(runInside())
	}
	run := m.Run
	if InPods() {
		run = func() int { return runInPods(m) }
	}
	code := run()
	if code != 0 {
		saveLogs()
	}
	stopWorld()
	os.Exit(code)
}

// runInside runs this test binary again with scripts/inside, for a `go test`
// without -exec, and returns its exit code.
func runInside() int {
	repo, err := filepath.Abs("../../..")
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

var startWorld = sync.OnceValue(func() error {
	if err := clearWorld(); err != nil {
		return err
	}
	for _, dir := range []string{Homes, Scratch, Scratch + "/keys"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, start := range []func() error{makeKey, writeSettings, startPods, startSSHD, openDoor, addUsers} {
		if err := start(); err != nil {
			return err
		}
	}
	return nil
})

// clearWorld removes what another test binary left in this place. `make e2e` runs
// several of them one after the other with one engine.
func clearWorld() error {
	for _, program := range []string{"/usr/sbin/sshd", "/usr/lib/openssh/sshd-session", Prefix + "/sbin/dockershd"} {
		for _, pid := range pidsOfProgram(program) { // of a binary that crashed
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	out, err := exec.Command("docker", "ps", "-aq").Output()
	if err != nil {
		return err
	}
	if ids := strings.Fields(string(out)); len(ids) > 0 {
		if err := TryDocker(append([]string{"rm", "-f"}, ids...)...); err != nil {
			return err
		}
	}
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return err
	}
	dirs := []string{Homes, Scratch, RunDir, Recordings, filepath.Dir(SessionsLog), Inventory, filepath.Dir(Inventory) + "/services"}
	for line := range strings.Lines(string(passwd)) {
		name, _, _ := strings.Cut(line, ":")
		if !strings.HasPrefix(name, namePrefix) {
			continue
		}
		if err := eraseAccount(name); err != nil {
			return err
		}
	}
	runtimeDirs, _ := filepath.Glob("/run/user/*") // of accounts that are gone: their uids come again
	for _, dir := range runtimeDirs {
		if u, err := user.LookupId(filepath.Base(dir)); err != nil || u.Username != rootlessName {
			dirs = append(dirs, dir)
		}
	}
	ownDirs, _ := filepath.Glob("/tmp/dockersh-*") // of accounts without a runtime directory
	for _, dir := range append(dirs, ownDirs...) {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

func addUsers() (err error) {
	if Plain, err = addAccount("/bin/bash"); err != nil {
		return err
	}
	if Boxed, err = addAccount(Front, "imagename = dsh-debian", "shell = /bin/bash", "mounthome"); err != nil {
		return err
	}
	if Recorded, err = addAccount(Front, "imagename = dsh-debian", "shell = /bin/bash", "mounthome", "record = "+Recordings+"/%u/%x.cast"); err != nil {
		return err
	}
	Tiny, err = addAccount(Front)
	return err
}

func stopWorld() {
	Broker.Stop()
	RemoteDaemon.Stop()
	SSHD.Stop()
}
