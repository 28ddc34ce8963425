package kubernetes

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
)

// atDoor begins every script in the door: its own program has to have been there first.
const atDoor = `umask 022; [ -e ` + manifest.ReadyFile + ` ] || exit 46; `

type exitCode int

func (c exitCode) Error() string {
	return fmt.Sprintf("a script in the pod ended with exit code %d", int(c))
}

// inDoor runs a script in a pod that was not started; exitCode where it fails.
func (e *Engine) inDoor(ctx context.Context, id string, in []byte, out io.Writer, script string, args ...string) error {
	p, err := e.podOfID(ctx, id)
	if err != nil {
		return err
	}
	if stateOf(p) != engine.Created {
		return errStarted
	}
	return e.runScript(ctx, p.Name, in, out, atDoor+script, args...)
}

// reported runs a script of its arguments with so many bytes of input. A mark, the exit code, the
// errors and the mark again follow its output; then it waits until the connection is closed. What a
// program writes just before its end is lost where the machine is busy, and so is its exit code: a
// kubelet and an API server drop what they have not passed on.
const reported = `m=$1 n=$2 s=$3; shift 3; exec 3>&1
e=$(head -c "$n" | (eval "$s") 2>&1 >&3 3>&-)
c=$?; printf '%s%d %s%s' "$m" $c "$e" "$m"; cat >/dev/null`

// runScript runs a script in a pod; exitCode where it fails.
func (e *Engine) runScript(ctx context.Context, pod string, in []byte, out io.Writer, script string, args ...string) error {
	mark := rand.Text()
	s, err := e.stream(ctx, pod, append([]string{"/bin/sh", "-c", reported, "sh", mark, strconv.Itoa(len(in)), script}, args...), false)
	if err != nil {
		return err
	}
	defer s.Close()
	defer context.AfterFunc(ctx, s.Close)()
	go func() { _, _ = s.Write(in) }()
	if out == nil {
		out = io.Discard
	}
	r := &report{to: out, mark: []byte(mark), ended: make(chan []byte, 1)}
	errs := &limited{max: 1 << 10} // of the runtime, or of a shell that cannot run this
	copied := make(chan error, 1)
	go func() { copied <- s.Copy(r, errs) }()
	select {
	case text := <-r.ended:
		code, text, _ := bytes.Cut(text, []byte(" "))
		if string(code) == "0" {
			return nil
		}
		n, err := strconv.Atoi(string(code))
		return errors.Join(err, fmt.Errorf("%w: %s", exitCode(n), bytes.TrimSpace(text)))
	case err := <-copied:
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		return fmt.Errorf("%w: %s", errNoReport, strings.TrimSpace(errs.String()))
	}
}

var errNoReport = errors.New("a script in the pod ended without a report")

// maxReport is how much may be between the marks.
const maxReport = 64 << 10

// report passes on output up to the mark. What is between that and the next one is sent to ended.
type report struct {
	to    io.Writer
	mark  []byte
	ended chan []byte

	rest          []byte
	marked, whole bool
}

func (r *report) Write(p []byte) (int, error) {
	if r.whole {
		return len(p), nil
	}
	r.rest = append(r.rest, p...)
	before, after, found := bytes.Cut(r.rest, r.mark)
	if !r.marked {
		if !found {
			n := max(len(r.rest)-len(r.mark)+1, 0) // what follows may be its beginning
			before, after = r.rest[:n], r.rest[n:]
		}
		if _, err := r.to.Write(before); err != nil {
			return 0, err
		}
		r.rest, r.marked = after, found
		if !found {
			return len(p), nil
		}
		before, _, found = bytes.Cut(r.rest, r.mark)
	}
	if found {
		r.whole = true
		r.ended <- bytes.Clone(before)
	} else if len(r.rest) > maxReport {
		return 0, errNoReport
	}
	return len(p), nil
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
