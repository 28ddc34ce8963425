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

	// cappedLog are the options for a log that has a limit.
	cappedLog []string
	// noPidsLimit is the value of --pids-limit for no limit, where leaving the option
	// out sets one.
	noPidsLimit string
	// notInMount are the characters that a path in --mount cannot have.
	notInMount string

	// ownNetwork is the network of containers with engine.Spec.OwnNetwork; empty: the engine
	// has no network that keeps its containers apart.
	ownNetwork string

	// states are the names that it has for a container's state besides Docker's.
	states []state

	// ExecStateInText: the engine writes text into a field of an exec's state that
	// Docker's client wants as bytes, and the client refuses the answer.
	ExecStateInText bool
	// CommitWantsBody: the engine fails to commit a container for a request that does
	// not also describe one, and ignores the description.
	CommitWantsBody bool
	// FullImageNames: a container names its image in full, as in
	// docker.io/library/busybox:latest, whatever name it was made from.
	FullImageNames bool
}

type state struct {
	name string
	is   engine.State
}

// OwnNetwork is the name of dockersh's own network.
const OwnNetwork = "dockersh"

// Docker is Docker itself.
var Docker = Dialect{
	Name:    "Docker",
	Oldest:  "20.10", // API 1.41
	Program: "docker",
	// A configuration directory that does not exist, so that nobody's context, plugin,
	// proxy or credential counts.
	global:     []string{"--config", "/nonexistent/dockersh"},
	engine:     "--host",
	cappedLog:  []string{"--log-driver=local"}, // the default has no limit
	ownNetwork: OwnNetwork,
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
	cappedLog:       []string{"--log-driver=k8s-file", "--log-opt=max-size=10mb"},
	noPidsLimit:     "-1",
	notInMount:      `,"`,                                                                // some releases split at every comma
	states:          []state{{"configured", engine.Created}, {"stopped", engine.Exited}}, // before it has cleaned up
	ExecStateInText: true,
	CommitWantsBody: true,
	FullImageNames:  true,
}

// Of returns the dialect of an engine by the names of its version's components.
func Of(components []string) *Dialect {
	if slices.Contains(components, Podman.component) {
		return &Podman
	}
	return &Docker
}

// State returns the state that the engine calls name.
func (d *Dialect) State(name string) engine.State {
	for _, s := range d.states {
		if s.name == name {
			return s.is
		}
	}
	return engine.State(name)
}
