// Dockersh-bridge carries one session over the exec of a container engine.
package main

import (
	"os"

	"dockersh/internal/bridge"
)

func main() { os.Exit(bridge.Main()) }
