package engine

import (
	"context"
	"path"
	"strings"
	"time"
)

// Containers are the containers of the engine.
type Containers interface {
	// Find returns ErrNotFound when there is no container of exactly that name.
	Find(ctx context.Context, name string) (*Container, error)
	// List returns every container that dockersh made. A container by hand is not among
	// them, even if its image brings all of dockersh's labels.
	List(ctx context.Context, size bool) ([]*Container, error)
	// Running reports whether the container runs; one that does not exist does not.
	Running(ctx context.Context, id string) (bool, error)
	// Usage measures a running container; ErrNotFound.
	Usage(ctx context.Context, id string) (Usage, error)
	// OutOfMemory reports whether the kernel has killed a process in the container for
	// lack of memory since a time. An engine may have forgotten, and report false.
	OutOfMemory(ctx context.Context, id string, since time.Time) (bool, error)
	// Command returns the command line that Create runs, for people to read.
	Command(Spec) []string
	// Create makes the container, does not start it, and returns it as Find would.
	// ErrNameTaken, ErrNoImage, ErrOption (wrapped, with the engine's words).
	Create(ctx context.Context, s Spec) (*Container, error)
	// ReadFile reads a regular file of at most 1 MiB out of a container that was
	// never started; fs.ErrNotExist.
	ReadFile(ctx context.Context, id, path string) ([]byte, error)
	// PutFiles writes into a container that was never started: a running one
	// could swap a path under the engine's feet (CVE-2026-41567 and others). Links on the
	// way lead where they lead in the container, and nothing is written where something is
	// mounted: a directory there is left out, and a file an error; with Podman, which
	// hides links where something is mounted, it may lie below the mount instead. Missing
	// directories on the way are made for root with mode 0755; a directory that exists stays as it is, but
	// for one with a mount below it, which the engine may have made for that mount.
	// ErrMountInMount, with nothing written; mounts in OwnDir do not count.
	PutFiles(ctx context.Context, id string, files []File) error
	// CheckMounts returns ErrMountInMount if a mount of a container that was never started
	// lies in another one, also where a link of its image leads. The engine may mount all of
	// them to answer a question, which is dangerous where processes of other containers can
	// change a link; so it is asked about bare, another container of the image without them.
	CheckMounts(ctx context.Context, id, bare string) error
	// Start starts a container and resumes a paused one. ErrNotFound.
	Start(ctx context.Context, id string) error
	// Stop asks process 1 to end and kills it after grace. ErrNotFound.
	Stop(ctx context.Context, id string, grace time.Duration) error
	// SetLimits changes the limits of a container at once, whether it runs or not; those that
	// are 0 stay. ErrNotFound; ErrNoSetLimits where the engine cannot do it for good.
	SetLimits(ctx context.Context, id string, l Limits) error
	// Remove kills and removes the container with its anonymous volumes, and those of
	// LabelVolumes, but for volumes that another container has. ErrNotFound.
	Remove(ctx context.Context, id string) error
}

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

// Container is an engine's description of one container.
type Container struct {
	ID, Name  string
	Image     string // as Spec named it
	ImageID   string
	State     State
	Pid       int // of process 1, on the host; 0 when it does not run
	ExitCode  int
	OOMKilled bool // process 1 was killed for lack of memory
	Created   time.Time
	Labels    map[string]string // without dockersh's where dockersh did not write them
	Size      int64             // bytes of the container's own layer; -1 when not asked for
	Binds     []string          // directories and files of the host that are mounted; empty in a List
	Mounts    []Mount           // all that is mounted, volumes too; empty in a List
	MayGain   bool              // programs in it may gain rights: it was made without no-new-privileges; false in a List
	Limits    Limits            // zero in a List
	HostUsers bool              // its users are numbered as the host's, whatever Remap returns
	// Root is the root directory of process 1 as this host sees it; empty in a List, where
	// the container does not run, and for an engine elsewhere.
	Root string
}

// Limits are those of a container that can change while it exists.
type Limits struct {
	Memory int64 // bytes; 0: none
	CPUs   int64 // billionths of a processor; 0: none
	Pids   int64 // processes and threads; NoPidsLimit: none
}

// NoPidsLimit is no limit on processes.
const NoPidsLimit = -1

// Usage is what a running container uses.
type Usage struct {
	At        time.Time     // when it was measured
	CPU       time.Duration // of all processors, since the start
	Memory    int64         // bytes, without files that are merely cached
	Processes int           // and threads; 0 when unknown
}

// Spec describes a container to create.
type Spec struct {
	Name, Image, Hostname string
	ImageID               string // if not empty: the image that Image must name; a tag may have moved
	UID, GID              uint32
	Groups                []uint32          // supplementary
	Labels                map[string]string // they win over labels in Options
	Mounts                []Mount
	Volumes, Env          []string // in the option language of the engine
	Network               string   // empty: the engine's default
	OwnNetwork            bool     // instead of the default: dockersh's own, in which containers do not reach each other
	Memory, CPUs          string   // as the engine's options; empty: no limit
	ShmSize               string   // in bytes; empty: the engine's own
	PidsLimit             int      // 0: no limit
	CapDrop, CapAdd       []string
	NoNewPrivileges       bool
	Entrypoint            string
	Cmd                   []string
	QuietLog              bool     // keep no output of process 1
	CappedLog             bool     // keep a limited amount of it, unless Options decide otherwise
	Options               []string // dockeropt, in words; given before all others, so that the others win
	NoHealthCheck         bool     // do not run the image's
	UserFirst             bool     // give --user before Options: they may name another user for process 1

	// Former is the id of the last container of this name, if somebody may have worked in it.
	// Its files stay if an engine that lost the container still has them. FormerUnknown: any
	// may be it.
	Former        string
	FormerUnknown bool

	// Layer is an image of Layers.CarryLayer that the container is made from in place of
	// Image. The environment is Image's nevertheless, and no file of it is copied into a volume.
	Layer string

	// ForeignImage: a user chose the image. What it asks of the engine is not done: its
	// working directory, which the engine makes as root, and copies of its files in named
	// volumes.
	ForeignImage bool

	// Pull is when an engine that pulls by itself does so, in the words of the setting.
	Pull string
	// Template is the path of a description of containers in the engine's own language, which the
	// rest of this wins over; for an engine that has one.
	Template string
	// OnlyRead: the container is never started. Its files are read.
	OnlyRead bool

	// Home is the user's home, for an engine that cannot mount one of this host.
	Home Home

	// Files are among those that PutFiles gets. An engine that cannot write all of these later
	// has them from the start.
	Files []File

	// Progress, unless nil, receives short lines for the user while Create waits for others, as
	// for a machine that has room.
	Progress func(line string)
}

// Home is a home that the engine provides.
type Home struct {
	Path  string // in the container; empty: the image's own directory
	Claim string // name of a volume that is made once and stays; empty: it goes with the container
	Size  string // of a volume that is made, as the engine has it
	Class string // of such a volume; empty: the engine's default
}

// OwnDir is where dockersh mounts its own directories in a container. Nobody else mounts
// anything there.
const OwnDir = "/.dockersh"

// OwnBridges begins the names of the network interfaces, on the engine's host, of dockersh's own
// networks.
const OwnBridges = "dockersh"

// LoginPath is the file that sets PATH in login shells; the first one of its directory.
const LoginPath = "/etc/profile.d/00-dockersh-path.sh"

// Within reports whether a path in a container is dir or lies below it, as they are written.
func Within(p, dir string) bool {
	p, dir = path.Clean(p), path.Clean(dir)
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// Mount is a bind mount. A source that does not exist is an error; it is not made.
type Mount struct {
	Source, Target string
	ReadOnly       bool
	Volume         string // of a Container: the name of the volume that it is; empty: a bind mount
}

// IsAnonymous reports whether a mount is a volume to which the engine gave its name.
func (m Mount) IsAnonymous() bool {
	return len(m.Volume) == 64 && strings.Trim(m.Volume, "0123456789abcdef") == ""
}

// File is a regular file or a directory to put into a container.
type File struct {
	Path     string // absolute, clean
	Mode     uint32 // permission bits
	UID, GID uint32
	Dir      bool
	Reset    bool   // of a directory: one that exists gets this owner and mode, too
	FromUID  uint32 // of a directory: what this user of the image has in it becomes the owner's; 0: nothing
	Optional bool   // of a file: left out where it cannot be written, as in a mount
	Data     []byte
}
