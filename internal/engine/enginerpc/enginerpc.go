// Package enginerpc has an engine whose client is another process: one that links what most hosts do
// not need. The process begins with a socket as its standard input. For each call it receives a
// connection there, with the request in JSON; the answer is in JSON, too, after lines of progress.
// The end of the connection is the end of the call, so that a call that was given up ends there as
// well. After the answer to ExecStream the connection carries frames.
package enginerpc

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// request is a call. Of its fields, those that the call has are set.
type request struct {
	Call     string
	At       engine.Address  // of the engine
	ID       string          `json:",omitempty"` // or a name, or an image
	Ref      string          `json:",omitempty"` // the second of two
	Size     bool            `json:",omitempty"`
	Since    time.Time       `json:",omitzero"`
	Grace    time.Duration   `json:",omitempty"`
	Limits   engine.Limits   `json:",omitzero"`
	As       engine.As       `json:",omitzero"`
	Argv     []string        `json:",omitempty"`
	Files    []engine.File   `json:",omitempty"`
	Spec     *spec           `json:",omitempty"`
	Program  engine.Program  `json:",omitzero"`
	Presence engine.Presence `json:",omitzero"`
}

// spec is engine.Spec on its way, where no function can go.
type spec struct {
	engine.Spec
	Progress bool
}

// answer is that of a call.
type answer struct {
	Line       string              `json:",omitempty"` // of progress; the answer comes later
	Error      *failure            `json:",omitempty"`
	Container  *engine.Container   `json:",omitempty"`
	Containers []*engine.Container `json:",omitempty"`
	About      engine.About        `json:",omitzero"`
	Remap      engine.Remap        `json:",omitzero"`
	Image      engine.Image        `json:",omitzero"`
	Usage      engine.Usage        `json:",omitzero"`
	Is         bool                `json:",omitempty"`
	Text       string              `json:",omitempty"`
	Texts      []string            `json:",omitempty"`
	Bytes      []byte              `json:",omitempty"`
	Numbers    [2]int64            `json:",omitzero"`
	Counts     engine.Counts       `json:",omitzero"`
	Presences  []engine.Presence   `json:",omitempty"`
}

// known are the errors that are the same on both sides. Their numbers are their places.
var known = []error{
	engine.ErrNotFound, engine.ErrNoImage, engine.ErrNameTaken, engine.ErrDown, engine.ErrDenied, engine.ErrNoSetLimits,
	engine.ErrOption, engine.ErrLeftover, engine.ErrMountInMount, fs.ErrNotExist, context.Canceled, context.DeadlineExceeded,
	engine.ErrInUse,
}

// failure is an error on its way.
type failure struct {
	Text string
	Is   []int `json:",omitempty"` // numbers of known errors
}

func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{Text: err.Error()}
	for i, k := range known {
		if errors.Is(err, k) {
			f.Is = append(f.Is, i)
		}
	}
	return f
}

func (f *failure) Error() string { return f.Text }

// Unwrap returns the errors of package engine that it is.
func (f *failure) Unwrap() (all []error) {
	for _, i := range f.Is {
		if i >= 0 && i < len(known) {
			all = append(all, known[i])
		}
	}
	return all
}
