package e2e

import (
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// OnHost runs a command on the host, which must succeed, and returns its trimmed
// output.
func OnHost(t testing.TB, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", argv, err, out)
	}
	return strings.TrimSpace(string(out))
}

// failed is a command that failed where no test can be ended.
type failed struct{ what, out string }

func (f *failed) Error() string { return f.what + ": " + strings.TrimSpace(f.out) }

// AsUser returns a command with the account's rights and a small environment,
// without sshd.
func AsUser(u *Account, argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + u.Home, "USER=" + u.Name}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.GID)}}
	return cmd
}

// StartPiped starts a command with pipes for its input and output.
func StartPiped(t testing.TB, cmd *exec.Cmd) (in io.WriteCloser, out io.ReadCloser) {
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

// ExitStatus returns the exit code in the error of a command, 0 if there is none.
func ExitStatus(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// Eventually waits until ok returns true.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !Within(Limit, ok) {
		t.Fatalf("not within %v: %s", Limit, what)
	}
}

// Within reports whether ok returns true before d has passed.
func Within(d time.Duration, ok func() bool) bool {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
}

// RestoreFile restores a file when the test ends.
func RestoreFile(t testing.TB, name string) {
	t.Helper()
	old, err := os.ReadFile(name)
	t.Cleanup(func() {
		_ = os.Remove(name)
		if err == nil {
			WriteFile(t, name, string(old))
		}
	})
}

// WriteFile writes a file that everybody can read.
func WriteFile(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Noise is a stream of n bytes of every value, the same for the same seed.
func Noise(seed byte, n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

// Sum returns the SHA-256 sum of a stream.
func Sum(r io.Reader) [32]byte {
	h := sha256.New()
	_, _ = io.Copy(h, r)
	return [32]byte(h.Sum(nil))
}
