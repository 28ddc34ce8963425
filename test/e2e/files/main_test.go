//go:build e2e

// Package files tests how files move over ssh: scp, sftp, sshfs and what is built on them, in
// images with and without the programs for it. The same tests run against a shell of the
// host.
package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}

// forEachUser runs a test for a user of bash, and for users of dockersh in images without
// programs for files: in Debian, with a mounted home; in busybox; with an engine elsewhere.
func forEachUser(t *testing.T, test func(t *testing.T, u *e2e.Account)) {
	t.Helper()
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		if u.OverExec() && e2e.SSH(t, u, "test -e /.dockersh/dockersh-files").Status != 0 {
			t.Skip("nothing is put into an adopted container: TestProgramThatTheImageLacksIsNamed")
		}
		test(t, u)
	})
}

// run runs a client in dir, and ends it after a while.
func run(t testing.TB, dir, stdin string, argv ...string) e2e.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if ctx.Err() != nil || err != nil && !errors.As(err, &exit) {
		t.Fatalf("%q: %v\n%s", argv, errors.Join(err, ctx.Err()), stderr.String())
	}
	return e2e.Result{Stdout: stdout.String(), Stderr: stderr.String(), Status: cmd.ProcessState.ExitCode()}
}

// scp runs the client with arguments in which "me:" is the account's host.
func scp(t testing.TB, u *e2e.Account, dir string, args ...string) e2e.Result {
	t.Helper()
	argv := append([]string{"/usr/bin/scp"}, e2e.ClientOptions("P")...)
	for _, a := range args {
		if path, ok := strings.CutPrefix(a, "me:"); ok {
			a = u.Name + "@127.0.0.1:" + path
		}
		argv = append(argv, a)
	}
	return run(t, dir, "", argv...)
}

// sftp runs a batch of commands, which ends at the first error.
func sftp(t testing.TB, u *e2e.Account, dir, batch string, more ...string) e2e.Result {
	t.Helper()
	argv := append(append([]string{"/usr/bin/sftp"}, e2e.ClientOptions("P")...), "-q", "-b", "-")
	return run(t, dir, batch, append(append(argv, more...), u.Name+"@127.0.0.1")...)
}

// ok checks that a client had nothing to say but its output, and succeeded.
func ok(t testing.TB, r e2e.Result) string {
	t.Helper()
	if r.Status != 0 || r.Stderr != "" {
		t.Fatalf("status %d, stdout %.300q, stderr %.500q", r.Status, r.Stdout, r.Stderr)
	}
	return r.Stdout
}

// fresh makes an empty directory on the other side, and returns its path.
func fresh(t testing.TB, u *e2e.Account) string {
	t.Helper()
	r := e2e.SSH(t, u, "mktemp -d ~/files.XXXXXX")
	dir := strings.TrimSpace(ok(t, r))
	t.Cleanup(func() { e2e.SSH(t, u, "chmod -R u+rwx "+dir+"; rm -rf "+dir) })
	return dir
}

// there returns what a command prints on the other side.
func there(t testing.TB, u *e2e.Account, format string, args ...any) string {
	t.Helper()
	return ok(t, e2e.SSH(t, u, fmt.Sprintf(format, args...)))
}

// tree makes files of all kinds of names in a new directory, and returns it.
func tree(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"plain": 0o644, "with space": 0o600, "umlaut-ä": 0o640, "sub/x": 0o755, "sub/deep/er/y": 0o444, "-dash": 0o644, "quo'te\"$x": 0o644} {
		path := filepath.Join(dir, "tree", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("this is "+name+"\n"), mode); err != nil {
			t.Fatal(err)
		}
		when := time.Unix(1_000_000_000+int64(len(name)), 0)
		if err := errors.Join(os.Chmod(path, mode), os.Chtimes(path, when, when)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "tree", "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// list says of all files below a directory what they are. With times also when they were
// changed.
func list(t testing.TB, dir string, times bool) string {
	t.Helper()
	format := "%P %y %m %s\n"
	if times {
		format = "%P %y %m %s %Ts\n"
	}
	out, err := exec.Command("sh", "-ec", `cd "$0"; find . ! -type d -printf "$1" | sort; find . -type d -printf '%P %y %m\n' | sort; find . -type f -exec sha256sum {} + | sort`, dir, format).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// same checks that two directories on this side have the same in them.
func same(t testing.TB, got, want string, times bool) {
	t.Helper()
	if g, w := list(t, got, times), list(t, want, times); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}
