// Package engine is what dockersh needs of a container engine.
//
// An engine that speaks Docker's API is a value of dialect.Dialect. To add another:
//
//  1. Implement Engine in a package beside docker. Return the errors that the comments
//     here name, keep the labels that you are given, and write files only into
//     containers that were never started.
//  2. Write an Opener, and let the mains (cmd/dockershd, cmd/dockersh-bridge,
//     cmd/dockershctl) choose it by the address.
//  3. Let the setting dockersocket take its addresses: internal/rules/values/values.go.
//  4. Run conformance.Test against it.
//  5. Give it a row in walls_test.go.
//
// No other package knows which engines there are.
package engine

import "context"

// Engine is a container engine. It is safe for use by many goroutines, connects at
// the first call, and ends every call when its context ends. Containers are named by
// id, or by name where the parameter is called name. Any call may return ErrDown,
// ErrDenied or the context's error.
type Engine interface {
	Facts
	Images
	Containers
	Layers
	Execs
	// Counts returns how many calls this process made to the engine.
	Counts() Counts
	// Close closes idle connections.
	Close() error
}

// AtOnce is how many containers are made or started at a time, removed at a time, or worked
// on by a command of the administrator: more would only wait for each other in the engine,
// and time out together. Of one user's containers at most AtOnceOfUser are made, or removed,
// at a time: another user's login finds a slot free, and does not wait in the engine behind
// as many.
const (
	AtOnce       = 6
	AtOnceOfUser = 4
)

// Facts are what the engine reports of itself.
type Facts interface {
	About(ctx context.Context) (About, error)
	// Program returns the name of the engine's command line, for hints. The engine is not
	// asked.
	Program() string
	// Remap returns the user namespace that containers will get. Of a container that
	// runs, the kernel knows better.
	Remap(ctx context.Context) (Remap, error)
}

// About is what an engine reports of itself; unknown fields are empty.
type About struct {
	Name, Version  string // "Docker", "28.2.2"
	Oldest         string // oldest version that dockersh works with
	Runc           string // version of runc, if runc starts the containers
	Seccomp        bool   // system calls of containers are filtered
	UserNamespaces bool   // root in a container is not root on the host
	LiveRestore    bool   // containers go on while the engine is restarted
	OpenAddress    string // where it listens without asking for a certificate
	RootlessUID    uint32 // of its process, where that has not root's rights

	// RightsMissing and RightsExcess are what dockersh may not do there, and need not.
	RightsMissing, RightsExcess []string
}

// Remap is how the engine numbers the users of its containers.
type Remap struct {
	On         bool
	UID, GID   uint32 // numbers on the host of a container's uid 0 and gid 0
	UIDs, GIDs uint32 // lengths of the ranges; 0 when unknown
}

// Image is an engine's description of one image.
type Image struct {
	ID    string
	Names []string // as ImageNames writes them, and the id
	// Committed: it comes from a container that dockersh made, and so has files of a user.
	Committed bool
	Layer     bool   // Layers.CarryLayer made it, or it was made from such a one: it is for its container alone
	Path      string // PATH in its environment; empty if it sets none
}

// Images are the images on the engine's host.
type Images interface {
	// ImageID returns ErrNoImage when the image is not on the engine's host.
	ImageID(ctx context.Context, ref string) (string, error)
	// Image describes an image on the engine's host; ErrNoImage.
	Image(ctx context.Context, ref string) (Image, error)
	// ImageNames returns the names under which people may know what ref names: in full,
	// and as short as the engine takes them. The engine is not asked.
	ImageNames(ref string) []string
	// Pull fetches an image. It calls progress, unless nil, with short lines for the
	// user. ErrNoImage.
	Pull(ctx context.Context, ref string, progress func(line string)) error
	// Commit makes an image of a container's own file system and returns its id.
	// It starts as the container's image does, and dockersh's labels in it are empty.
	// ErrNotFound; ErrNoImage when ref cannot be a name.
	Commit(ctx context.Context, id, ref string) (imageID string, err error)
}
