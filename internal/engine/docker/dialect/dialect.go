// Package dialect is where the engines with Docker's API differ, and their command
// lines. Containers are made by the engine's own command line, because dockeropt is
// by contract that program's option language.
package dialect

import (
	"slices"

	"github.com/dockersh/dockersh/internal/engine"
)

// Dialect is all in which one kind of engine differs from another. Options that it
// does not name are the same for all, and so is the rest of the API.
type Dialect struct {
	Name   string // as its makers spell it
	Oldest string // release that dockersh works with

	// component is in the version of such an engine, and of no other.
	component string

	// The command line: its name, its options before the subcommand, and the option
	// that names the engine.
	Program string
	global  []string
	engine  string

	// unsetEnv is the option that takes a variable from the environment of the image, without
	// its name; ownEnv are variables that the engine sets in each container, and in an image of
	// one.
	unsetEnv string
	ownEnv   []string

	// cappedLog are the options for a log that has a limit.
	cappedLog []string
	// noPidsLimit is the value of --pids-limit for no limit, where leaving the option
	// out sets one.
	noPidsLimit string
	// leftovers are the arguments that list what is in the engine's storage besides its
	// containers: id, state, name and kind in each line. nil: it has nothing there.
	leftovers []string
	// notInMount are the characters that a path in --mount cannot have.
	notInMount string

	// OwnNetworks is how the engine keeps containers with engine.Spec.OwnNetwork apart.
	OwnNetworks Networks

	// states are the names that it has for a container's state besides Docker's.
	states []state

	// ExecStateInText: the engine writes text into a field of an exec's state that
	// Docker's client wants as bytes, and the client refuses the answer.
	ExecStateInText bool
	// CommitWantsBody: the engine fails to commit a container for a request that does
	// not also describe one, and ignores the description.
	CommitWantsBody bool
	// NoDaemon: containers do not end with the engine's process.
	NoDaemon bool
	// ForgetsLimits: limits that are changed in a container are gone with its next start.
	ForgetsLimits bool
	// FullImageNames: a container names its image in full, as in
	// docker.io/library/busybox:latest, whatever name it was made from.
	FullImageNames bool
}

type state struct {
	name string
	is   engine.State
}

// Networks is a way to keep containers apart on the network.
type Networks int

const (
	// ByDefault: each container has a network of its own already.
	ByDefault Networks = iota
	// OneForAll: one network has no traffic between its containers. It is made when a start
	// fails for want of it.
	OneForAll
	// OneForEach: the engine keeps networks apart, but not the containers of one. Each
	// container's must be there before the container, and the engine removes none in use.
	OneForEach
)

// OwnNetwork returns the name of the network of a container with engine.Spec.OwnNetwork;
// empty for the engine's default.
func (d *Dialect) OwnNetwork(container string) string {
	switch d.OwnNetworks {
	case OneForAll:
		return "dockersh"
	case OneForEach:
		return "dockersh-" + container
	}
	return ""
}

// Docker is Docker itself.
var Docker = Dialect{
	Name:    "Docker",
	Oldest:  "20.10", // API 1.41
	Program: "docker",
	// A configuration directory that does not exist, so that nobody's context, plugin,
	// proxy or credential counts.
	global:      []string{"--config", "/nonexistent/dockersh"},
	engine:      "--host",
	unsetEnv:    "--env=",                       // the command's environment has none that an image has
	cappedLog:   []string{"--log-driver=local"}, // the default has no limit
	OwnNetworks: OneForAll,
}

// Podman is Podman by its Docker-compatible API. Its command line speaks to the
// same service as we do, so that both see the same containers, whatever storage
// and user that service has.
var Podman = Dialect{
	Name:            "Podman",
	Oldest:          "4.3",
	component:       "Podman Engine",
	Program:         "podman",
	engine:          "--url",
	unsetEnv:        "--unsetenv=",
	ownEnv:          []string{"PATH", "TERM", "HOME", "container"},
	cappedLog:       []string{"--log-driver=k8s-file", "--log-opt=max-size=10mb"},
	noPidsLimit:     "-1",
	leftovers:       []string{"ps", "--all", "--external", "--no-trunc", "--format={{.ID}} {{.State}} {{.Names}} {{.Command}}"},
	notInMount:      `,"`,                                                                // some releases split at every comma
	states:          []state{{"configured", engine.Created}, {"stopped", engine.Exited}}, // before it has cleaned up
	OwnNetworks:     OneForEach,
	ExecStateInText: true,
	CommitWantsBody: true,
	NoDaemon:        true,
	ForgetsLimits:   true,
	FullImageNames:  true,
}

// RootlessPodman is a user's own Podman: its default network is one for each container.
var RootlessPodman = func() Dialect {
	d := Podman
	d.OwnNetworks = ByDefault
	return d
}()

// IsPodman reports whether an engine is Podman, by the names of its version's components.
func IsPodman(components []string) bool { return slices.Contains(components, Podman.component) }

// State returns the state that the engine calls name.
func (d *Dialect) State(name string) engine.State {
	for _, s := range d.states {
		if s.name == name {
			return s.is
		}
	}
	return engine.State(name)
}
