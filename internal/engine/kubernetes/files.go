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

	corev1 "k8s.io/api/core/v1"

	"github.com/dockersh/dockersh/internal/engine"
)

// filesDir has the files that are mounted over those of the image.
const filesDir = engine.OwnDir + "/files"

// mountedFiles are the files of an image that a pod has of its own. Others of the image's cannot
// be changed from outside: the pod may run without any right to.
var mountedFiles = []string{"/etc/passwd", "/etc/group", engine.LoginPath}

func filesMounted() (all []corev1.VolumeMount) {
	for _, f := range mountedFiles {
		below := strings.TrimPrefix(filesDir+f, engine.OwnDir+"/")
		all = append(all, corev1.VolumeMount{Name: ownVolume, MountPath: f, SubPath: below, ReadOnly: true})
	}
	return all
}

const maxFile = 1 << 20

// exit codes of scripts in the door
const (
	isMissing = 44
	isNoFile  = 45
	killed    = 128 + 9
)

var errStarted = errors.New("the pod was started: its files are its user's")

// ReadFile reads a file of the image, or one that was put.
func (e *Engine) ReadFile(ctx context.Context, id, name string) ([]byte, error) {
	out := &limited{max: maxFile}
	at := name
	if place, ok := placeOf(name); ok {
		at = place
	}
	err := e.inDoor(ctx, id, nil, out, `[ -e "$1" ] || exit 44; [ -f "$1" ] || exit 45; exec cat "$1"`, at)
	if code := exitCode(0); errors.As(err, &code) && code == isMissing {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	if err == nil && out.over {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxFile)
	}
	return out.Bytes(), err
}

// PutFiles writes files before the pod is started: below engine.OwnDir, and those that are mounted
// over the image's.
func (e *Engine) PutFiles(ctx context.Context, id string, files []engine.File) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(files) == 0 {
		return e.inDoor(ctx, id, nil, nil, ":")
	}
	for _, f := range files {
		if !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || f.Path == "/" {
			return fmt.Errorf("%q is not a clean absolute path", f.Path)
		}
	}
	for _, f := range files {
		place, ok := placeOf(f.Path)
		if !ok {
			if f.Optional {
				continue
			}
			return fmt.Errorf("%w: %s cannot be put into a pod", engine.ErrOption, f.Path)
		}
		script, in := `mkdir -p "$1" && chmod "$2" "$1"`, io.Reader(nil)
		if !f.Dir {
			script, in = `mkdir -p "${1%/*}" && cat >"$1.new" && chmod "$2" "$1.new" && mv -f "$1.new" "$1"`, bytes.NewReader(f.Data)
		}
		if err := e.inDoor(ctx, id, in, nil, script, place, fmt.Sprintf("%o", f.Mode)); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return nil
}

// placeOf returns where a file lies in the door.
func placeOf(name string) (string, bool) {
	for _, f := range mountedFiles {
		if name == f {
			return filesDir + f, true
		}
	}
	return name, engine.Within(name, engine.OwnDir) && name != engine.OwnDir && !engine.Within(name, filesDir) && name != startFile
}

// atDoor begins every script in the door: its own program has to have been there first.
const atDoor = `umask 022; while [ ! -e ` + engine.OwnDir + `/ready ]; do ` + moment + `; done; `

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
	s, err := e.stream(ctx, p.Name, doorContainer, append([]string{"/bin/sh", "-c", atDoor + script, "sh"}, args...), false)
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
