// Package byaddress chooses the client of an engine: Docker's, which is linked here, or that of a
// cluster, which is another process.
package byaddress

import (
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker"
	"github.com/dockersh/dockersh/internal/engine/enginerpc"
	"github.com/dockersh/dockersh/internal/host/paths"
)

// Open returns the client of the engine at an address. It is an engine.Opener.
func Open(at engine.Address) (engine.Engine, error) {
	if at.IsCluster() {
		return enginerpc.Opener("kubectl", paths.Pods(), "serve")(at)
	}
	return docker.Open(at)
}
