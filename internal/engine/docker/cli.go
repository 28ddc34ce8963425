package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// cliDirs are the only places where an engine's command line is looked for: no
// search path, no environment.
var cliDirs = [...]string{"/usr/bin/", "/usr/local/bin/", "/bin/"}

// finishLimit is how long the command may go on after its context's end.
const finishLimit = 3 * time.Second

// maxOutput is how many bytes of the command's output are kept, each of
// standard output and standard error.
const maxOutput = 16 << 10

// findCLI returns the path of an engine's command line.
func findCLI(name string) (string, error) {
	var errs []error
	for _, dir := range cliDirs {
		err := trusted(dir + name)
		if err == nil {
			return dir + name, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return "", lined{errors.Join(errs...)}
	}
	return "", fmt.Errorf("the %s command is not installed (looked in %v)", name, cliDirs)
}

// trusted tells whether only root can have made path what it is, and what it
// links to: it is run with the broker's rights.
func trusted(path string) error {
	program, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	fi, err := os.Lstat(program)
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() || fi.Mode()&0o111 == 0 {
		return fmt.Errorf("%s is no program", program)
	}
	if err := onlyRoots(program, fi, 0o022); err != nil {
		return err
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(program)} {
		for ; ; dir = filepath.Dir(dir) {
			fi, err := os.Stat(dir)
			if err != nil {
				return err
			}
			// Not 022: Debian's /usr/local is writable for root's group staff.
			if err := onlyRoots(dir, fi, 0o002); err != nil {
				return err
			}
			if dir == "/" {
				break
			}
		}
	}
	return nil
}

// onlyRoots refuses what is not root's or what others may write.
func onlyRoots(path string, fi os.FileInfo, others os.FileMode) error {
	if st, ok := fi.Sys().(*syscall.Stat_t); !ok || st.Uid != 0 {
		return fmt.Errorf("%s does not belong to root", path)
	}
	if fi.Mode().Perm()&others != 0 {
		return fmt.Errorf("%s can be written by others than root", path)
	}
	return nil
}

// arguments are the command line's way to the engine, and environ what of an
// environment it needs for that.
func (e *Engine) arguments(p *program) []string {
	if e.remote != nil {
		return slices.Concat(p.global, e.remote.arguments())
	}
	return slices.Concat(p.global, []string{p.at, "unix://" + e.socket})
}

func (e *Engine) environ() []string {
	if e.remote != nil {
		return append([]string{}, e.remote.environ()...)
	}
	return []string{}
}

// runCLI runs the engine's command line with nothing of our environment. When
// the context ends the command may still finish what it does, for finishLimit,
// and is then killed: the engine would finish it anyway, and nobody learn of
// it. On failure the error is the context's or that of package exec, and
// stderr says why; killed tells that the engine may still be at work.
func (e *Engine) runCLI(ctx context.Context, p *program, args ...string) (stdout, stderr string, killed bool, err error) {
	path, err := findCLI(p.name)
	if err != nil {
		return "", "", false, err
	}
	var out, words capped
	cmd := exec.CommandContext(ctx, path, append(e.arguments(p), args...)...)
	cmd.Dir = "/"
	cmd.Env = e.environ() // empty, for an engine of this host: `--env NAME` without a value must find nothing to pass on
	cmd.Stdout, cmd.Stderr = &out, &words
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no signal of a terminal's reaches it
	cmd.Cancel = func() error { return nil }
	cmd.WaitDelay = finishLimit
	err = cmd.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return out.String(), words.String(), cmd.ProcessState != nil && !cmd.ProcessState.Exited(), err
}

// capped keeps the first maxOutput bytes written to it.
type capped struct{ buf bytes.Buffer }

func (c *capped) String() string { return c.buf.String() }

func (c *capped) Write(p []byte) (int, error) {
	c.buf.Write(p[:min(len(p), maxOutput-c.buf.Len())])
	return len(p), nil
}
