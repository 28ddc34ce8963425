// Dockersh-init runs inside a container and starts the sessions of its user.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/container/agent"
)

func main() { os.Exit(agent.Main()) }
