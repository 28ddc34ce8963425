// Dockersh is a login shell whose sessions run in a container.
package main

import (
	"os"

	"dockersh/internal/shell"
)

func main() { os.Exit(shell.Main()) }
