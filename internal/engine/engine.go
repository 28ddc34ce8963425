// Package engine is what dockersh needs of a container engine.
//
// An engine that speaks Docker's API is a value of dialect.Dialect. To add another:
//
//  1. Implement Engine in a package beside docker. Return the errors that the comments
//     here name, keep the labels that you are given, and write files only into
//     containers that were never started.
//  2. Write an Opener, and let the mains (cmd/dockershd, cmd/dockersh-bridge,
//     cmd/dockershctl) choose it by the address.
//  3. Let the setting dockersocket take its addresses: internal/rules/config/check.go.
//  4. Run enginetest.Conformance against it.
//  5. Give it a row in walls_test.go.
//
// No other package knows which engines there are.
package engine

import (
	"context"
	"time"
)

// State is the state of a container.
type State string

// The states, in the words of Docker's API.
const (
	Created    State = "created"
	Running    State = "running"
	Paused     State = "paused"
	Restarting State = "restarting"
	Removing   State = "removing"
	Exited     State = "exited"
	Dead       State = "dead"
)

// Container is what the engine knows of one container.
type Container struct {
	ID, Name  string
	Image     string // as it was asked for
	ImageID   string
	State     State
	Pid       int // process 1 as the host sees it; 0 when not running
	ExitCode  int
	OOMKilled bool // process 1 was killed for memory
	Created   time.Time
	Labels    map[string]string
	Size      int64    // bytes of the container's own layer; -1 when not asked for
	Binds     []string // directories and files of the host that are mounted; empty in a List
	HostUsers bool     // it was asked to have the host's users, whatever Remap says
}

// Remap tells how the engine numbers the users of its containers.
type Remap struct {
	On         bool
	UID, GID   uint32 // of the host: what a container's 0 is
	UIDs, GIDs uint32 // how many follow; 0 when nobody knows
}

// Usage is what a running container uses.
type Usage struct {
	At        time.Time     // when it was measured
	CPU       time.Duration // of processors, since its start
	Memory    int64         // bytes, without files that are merely cached
	Processes int           // and threads; 0 when nobody counts them
}

// Mount is a bind mount. A source that does not exist is an error, never made.
type Mount struct {
	Source, Target string
	ReadOnly       bool
}

// Spec is everything that makes a container.
type Spec struct {
	Name, Image, Hostname string
	ImageID               string // if not empty: what Image must be; a tag may be moved meanwhile
	UID, GID              uint32
	Groups                []uint32          // supplementary
	Labels                map[string]string // ours; they win over any in Options
	Mounts                []Mount
	Volumes, Env          []string // in the option language of the engine
	Network               string
	Memory, CPUs          string // as the engine's options; empty: no limit
	PidsLimit             int    // 0: no limit
	CapDrop, CapAdd       []string
	NoNewPrivileges       bool
	Entrypoint            string
	Cmd                   []string
	QuietLog              bool     // keep nothing of what process 1 writes
	CappedLog             bool     // keep it, but not for ever; Options may say otherwise
	Options               []string // dockeropt, already split into words; given before ours, so that ours win
	UserFirst             bool     // put --user before Options: they may change who process 1 is
}

// File is a regular file or a directory to put into a container.
type File struct {
	Path     string // absolute, clean
	Mode     uint32 // permission bits
	UID, GID uint32
	Dir      bool
	Data     []byte
}

// Engine is a container engine. It is safe for use by many goroutines, connects
// when it is first asked something, and ends every call when its context does.
// Containers are named by id, or by name where the parameter is called so. Any
// call may return ErrDown, ErrDenied or the context's error.
type Engine interface {
	Facts
	Images
	Containers
	Execs
	// Close lets go of idle connections.
	Close() error
}

// Facts are what the engine says of itself.
type Facts interface {
	About(ctx context.Context) (About, error)
	// Remap returns the user namespace that containers get. It is what the engine
	// says before a container runs; then the kernel knows.
	Remap(ctx context.Context) (Remap, error)
}

// Images are the images on the engine's host.
type Images interface {
	// ImageID returns ErrNoImage when the image is not on the engine's host.
	ImageID(ctx context.Context, ref string) (string, error)
	// Pull fetches an image; progress gets short lines, ready to be shown, and may
	// be nil. ErrNoImage.
	Pull(ctx context.Context, ref string, progress func(line string)) error
	// Commit makes an image of a container's own file system and returns its id.
	// The image has none of our labels and starts as the container's image does.
	// ErrNotFound; ErrNoImage when ref cannot be a name.
	Commit(ctx context.Context, id, ref string) (imageID string, err error)
}

// Containers are the containers of the engine.
type Containers interface {
	// Find returns ErrNotFound when there is no container of exactly that name.
	Find(ctx context.Context, name string) (*Container, error)
	// List returns every container that carries LabelOwner.
	List(ctx context.Context, size bool) ([]*Container, error)
	// Running reports whether the container runs; one that does not exist does not.
	Running(ctx context.Context, id string) (bool, error)
	// Usage measures a running container; ErrNotFound.
	Usage(ctx context.Context, id string) (Usage, error)
	// OutOfMemory reports whether the kernel killed something in the container for
	// lack of memory since then. An engine may have forgotten, and report false.
	OutOfMemory(ctx context.Context, id string, since time.Time) (bool, error)
	// Command returns the command line that Create runs, for people to read.
	Command(Spec) []string
	// Create makes the container, does not start it, and returns it as Find would.
	// ErrNameTaken, ErrNoImage, ErrOption (wrapped, with the engine's words).
	Create(ctx context.Context, s Spec) (*Container, error)
	// ReadFile reads a regular file of at most 1 MiB out of a container that was
	// never started; fs.ErrNotExist when there is none.
	ReadFile(ctx context.Context, id, path string) ([]byte, error)
	// PutFiles writes into a container that was never started: a running one
	// could swap a path under the engine's feet (CVE-2026-41567 and others).
	PutFiles(ctx context.Context, id string, files []File) error
	// Start starts a container and resumes a paused one. ErrNotFound.
	Start(ctx context.Context, id string) error
	// Stop asks process 1 to end and kills it after grace. ErrNotFound.
	Stop(ctx context.Context, id string, grace time.Duration) error
	// Remove kills and removes the container with its anonymous volumes. ErrNotFound.
	Remove(ctx context.Context, id string) error
}
