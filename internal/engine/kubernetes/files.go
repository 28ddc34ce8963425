package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"

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
	// Most of an exec is waiting.
	errs := make([]error, len(files))
	var all sync.WaitGroup
	for i, f := range files {
		if isPut(f.Path) {
			all.Go(func() { errs[i] = e.putFile(ctx, p.Name, f) })
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// putFile writes a file into a pod that was not started.
func (e *Engine) putFile(ctx context.Context, pod string, f engine.File) error {
	script, in := `mkdir -p "$1" && chmod "$2" "$1"`, []byte(nil)
	if !f.Dir {
		script, in = `mkdir -p "${1%/*}" && cat >"$1.new" && chmod "$2" "$1.new" && mv -f "$1.new" "$1"`, f.Data
	}
	if err := e.runScript(ctx, pod, in, nil, atDoor+script, f.Path, fmt.Sprintf("%o", f.Mode)); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	return nil
}

// isPut reports whether a file can be put.
func isPut(name string) bool {
	return engine.Within(name, engine.OwnDir) && name != engine.OwnDir && name != manifest.StartFile && name != manifest.ReadyFile
}
