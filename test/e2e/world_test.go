//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The places of this run. All are private: see scripts/apart.
const (
	prefix   = "/run/dsh"  // the programs, as `make install` lays them
	homes    = "/run/home" // the homes of the accounts
	settings = "/etc/dockershrc"
	runDir   = "/run/dockersh"
	scratch  = "/run/e2e" // keys, logs, configuration of sshd
)

// limit is how long anything that should happen at once may take on a slow
// and busy machine before a test gives it up.
const limit = 30 * time.Second

// plain and boxed are the two users that most tests compare. boxed lives in a
// Debian container with bash as the shell, so that what plain does on the host
// can be done there; tiny has the built-in defaults but for a home of his own, and
// taped is boxed with his terminals recorded.
var plain, boxed, tiny, taped *account

func startWorld() error {
	for _, dir := range []string{homes, scratch, scratch + "/keys"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := makeKey(); err != nil {
		return err
	}
	if err := writeSettings(); err != nil {
		return err
	}
	if err := startSSHD(); err != nil {
		return err
	}
	if err := openDoor(); err != nil {
		return err
	}
	return makeUsers()
}

func makeUsers() (err error) {
	if plain, err = addUser("/bin/bash"); err != nil {
		return err
	}
	if boxed, err = addUser(front, "imagename = dsh-debian", "shell = /bin/bash", "mounthome"); err != nil {
		return err
	}
	if taped, err = addUser(front, "imagename = dsh-debian", "shell = /bin/bash", "mounthome", "record = "+recordings+"/%u/%x.cast"); err != nil {
		return err
	}
	tiny, err = addUser(front)
	return err
}

func stopWorld() {
	broker.stop()
	stopRemote()
	stopSSHD()
}

// keepLogs leaves the logs of the daemons where a failed run can be judged.
func keepLogs() {
	dir := filepath.Join(os.Getenv("REPO"), "build/e2e/logs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return
	}
	logs, _ := filepath.Glob(scratch + "/*.log")
	for _, log := range append(logs, os.Getenv("APART")+"/dockerd.log") {
		if data, err := os.ReadFile(log); err == nil {
			_ = os.WriteFile(filepath.Join(dir, filepath.Base(log)), data, 0o644)
		}
	}
	fmt.Fprintln(os.Stderr, "e2e: the daemons' logs are in", dir)
}

// run is a command of the test itself on the host; it must succeed.
func run(t testing.TB, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", argv, err, out)
	}
	return strings.TrimSpace(string(out))
}

// piped starts a command with pipes for its input and output.
func piped(t testing.TB, cmd *exec.Cmd) (in io.WriteCloser, out io.ReadCloser) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if out, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return in, out
}

// eventually waits until ok says so.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !within(limit, ok) {
		t.Fatalf("not within %v: %s", limit, what)
	}
}

func within(d time.Duration, ok func() bool) bool {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
}
