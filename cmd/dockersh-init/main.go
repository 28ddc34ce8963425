// Dockersh-init runs inside a container and starts the sessions of its user.
package main

import (
	"os"

	"dockersh/internal/agent"
)

func main() { os.Exit(agent.Main()) }
