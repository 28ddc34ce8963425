package kubernetes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
)

const maxFile = 1 << 20

// isMissing is the exit code of ReadFile's script where there is no such file.
const isMissing = 44

var errStarted = errors.New("the pod was started: its files are its user's")

// ReadFile reads a file of the image, or one that was put. One that the pod's user cannot read is
// not there.
func (e *Engine) ReadFile(ctx context.Context, id, name string) ([]byte, error) {
	out := &limited{max: maxFile}
	err := e.inDoor(ctx, id, nil, out, `[ -e "$1" ] && [ -r "$1" ] || exit 44; [ -f "$1" ] || exit 45; exec cat "$1"`, name)
	if code := exitCode(0); errors.As(err, &code) && code == isMissing {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	if err == nil && out.over {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxFile)
	}
	return out.Bytes(), err
}

// PutFiles writes files before the pod is started: below engine.OwnDir. Those of Spec.Files are there
// already.
func (e *Engine) PutFiles(ctx context.Context, id string, files []engine.File) error {
	p, err := e.podOfID(ctx, id)
	if err != nil {
		return err
	}
	if stateOf(p) != engine.Created {
		return errStarted
	}
	for _, f := range files {
		if !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || f.Path == "/" {
			return fmt.Errorf("%q is not a clean absolute path", f.Path)
		}
		if !f.Optional && !isPut(f.Path) && !manifest.HasFile(p, f) {
			return fmt.Errorf("%w: %s cannot be put into a pod", engine.ErrOption, f.Path)
		}
	}
	for _, f := range files {
		if !isPut(f.Path) {
			continue
		}
		script, in := `mkdir -p "$1" && chmod "$2" "$1"`, io.Reader(nil)
		if !f.Dir {
			script, in = `mkdir -p "${1%/*}" && cat >"$1.new" && chmod "$2" "$1.new" && mv -f "$1.new" "$1"`, bytes.NewReader(f.Data)
		}
		if err := e.inDoor(ctx, id, in, nil, script, f.Path, fmt.Sprintf("%o", f.Mode)); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return nil
}

// isPut reports whether a file can be put.
func isPut(name string) bool {
	return engine.Within(name, engine.OwnDir) && name != engine.OwnDir && name != manifest.StartFile && name != manifest.ReadyFile
}

// atDoor begins every script in the door: its own program has to have been there first.
const atDoor = `umask 022; [ -e ` + manifest.ReadyFile + ` ] || exit 46; `

type exitCode int

func (c exitCode) Error() string {
	return fmt.Sprintf("a script in the pod ended with exit code %d", int(c))
}

// inDoor runs a script in a pod that was not started; exitCode where it fails.
func (e *Engine) inDoor(ctx context.Context, id string, in io.Reader, out io.Writer, script string, args ...string) error {
	p, err := e.podOfID(ctx, id)
	if err != nil {
		return err
	}
	if stateOf(p) != engine.Created {
		return errStarted
	}
	return e.runScript(ctx, p.Name, in, out, atDoor+script, args...)
}

// runScript runs a script in a pod.
func (e *Engine) runScript(ctx context.Context, pod string, in io.Reader, out io.Writer, script string, args ...string) error {
	s, err := e.stream(ctx, pod, append([]string{"/bin/sh", "-c", script, "sh"}, args...), false)
	if err != nil {
		return err
	}
	defer s.Close()
	defer context.AfterFunc(ctx, s.Close)()
	go func() {
		if in != nil {
			_, _ = io.Copy(s, in)
		}
		_ = s.CloseWrite()
	}()
	if out == nil {
		out = io.Discard
	}
	errs := &limited{max: 1 << 10}
	if err := s.Copy(out, errs); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	switch code, err := s.Wait(ctx); {
	case err != nil:
		return err
	case code != 0:
		return fmt.Errorf("%w: %s", exitCode(code), strings.TrimSpace(errs.String()))
	}
	return nil
}

// limited keeps the first bytes that are written.
type limited struct {
	bytes.Buffer
	max  int
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	if room := l.max - l.Len(); len(p) > room {
		l.over = true
		l.Buffer.Write(p[:room])
		return len(p), nil
	}
	return l.Buffer.Write(p)
}
