// Dockersh is a login shell whose sessions run in a container.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/user/front"
)

func main() { os.Exit(front.Main()) }
