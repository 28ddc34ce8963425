package dialect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/transport"
	"github.com/dockersh/dockersh/internal/host/trustedpath"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// dirs are the only places where an engine's command line is looked for: no
// search path, no environment.
var dirs = [...]string{"/usr/bin/", "/usr/local/bin/", "/bin/"}

// FinishLimit is how long the command may go on after the end of its context.
const FinishLimit = 3 * time.Second

// Result is what the command wrote, the first 16 KiB of each.
type Result struct {
	Stdout, Stderr string
	// Killed: the engine may still be at work.
	Killed bool
}

// Create runs the create command, which prints the id of the new container. mark is
// the value of engine.LabelCreate. When the context ends, the command may still
// finish, for FinishLimit, and is then killed: the engine would finish anyway, and
// nobody would learn of it. On failure the error is the context's or that of package
// exec, and Stderr has the reason.
func (d *Dialect) Create(ctx context.Context, t *transport.Transport, mark string, s engine.Spec) (Result, error) {
	args := append([]string{"create", "--label=" + engine.LabelCreate + "=" + mark}, d.createArgs(s)...)
	return d.run(ctx, t, args)
}

func (d *Dialect) run(ctx context.Context, t *transport.Transport, args []string) (Result, error) {
	path, err := find(d.Program)
	if err != nil {
		return Result{}, err
	}
	var stdout, stderr transport.Output
	cmd := exec.CommandContext(ctx, path, slices.Concat(d.global, []string{d.engine, t.URL}, t.Options(), args)...)
	cmd.Dir, cmd.Env = "/", t.Environ()
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no signal from a terminal reaches it
	cmd.Cancel = func() error { return nil }
	cmd.WaitDelay = FinishLimit
	err = cmd.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	killed := cmd.ProcessState != nil && !cmd.ProcessState.Exited()
	return Result{stdout.String(), stderr.String(), killed}, err
}

// find returns the path of an engine's command line.
func find(program string) (string, error) {
	var untrusted []error
	for _, dir := range dirs {
		err := trustedpath.Program(dir + program)
		if err == nil {
			return dir + program, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			untrusted = append(untrusted, err)
		}
	}
	if len(untrusted) > 0 {
		return "", errors.New(printable.Line(errors.Join(untrusted...).Error()))
	}
	return "", fmt.Errorf("the command %s is not installed in any of %v", program, dirs)
}
