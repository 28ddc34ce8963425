package docker

import (
	"context"
	"slices"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// program is the command line of one kind of engine, and where the kinds differ.
// The options that dockersh gives are otherwise the same, and so is the API.
type program struct {
	name        string
	global      []string // options before the command
	at          string   // the option that says which engine
	cappedLog   []string // options: a log that has a limit
	noPidsLimit string   // value of --pids-limit where leaving it out gives one
	noMount     string   // characters that --mount cannot carry in a path
	looseExec   bool     // exec's state is not quite as Docker's API has it
	fullNames   bool     // a container tells its image by another name than was asked for
}

var dockerProgram = program{
	name: "docker",
	// A configuration directory that is not there, so that no context, plugin,
	// proxy or credential of anyone counts.
	global:    []string{"--config", "/nonexistent/dockersh"},
	at:        "--host",
	cappedLog: []string{"--log-driver=local"}, // the default has no cap
}

// Podman is used by its command line too, because dockeropt is then its option
// language. It speaks to the same service as we do, so that both see the same
// containers whatever storage and user that service has.
var podmanProgram = program{
	name:        "podman",
	at:          "--url",
	cappedLog:   []string{"--log-driver=k8s-file", "--log-opt=max-size=10mb"},
	noPidsLimit: "-1",
	noMount:     `,"`, // some releases split at every comma
	looseExec:   true,
	fullNames:   true,
}

// kindOf asks the engine of this host what it is.
func kindOf(ctx context.Context, cli *client.Client) (*program, error) {
	v, err := cli.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(v.Components, func(c system.ComponentVersion) bool { return c.Name == "Podman Engine" }) {
		return &podmanProgram, nil
	}
	return &dockerProgram, nil
}

// settle makes sure that it is known which engine this is. ErrDown.
func (e *Engine) settle(ctx context.Context) (*program, error) {
	err := e.call(ctx, callLimit, func(context.Context, *client.Client) error { return nil })
	return e.program(), err
}

// program is Docker's as long as the engine has said nothing else.
func (e *Engine) program() *program {
	if p := e.kind.Load(); p != nil {
		return p
	}
	return &dockerProgram
}

// stateOf gives a state in Docker's words. Podman has two of its own for what it
// has not cleaned up after yet.
func stateOf(s container.ContainerState) engine.State {
	switch s {
	case "configured":
		return engine.Created
	case "stopped":
		return engine.Exited
	}
	return engine.State(s)
}
