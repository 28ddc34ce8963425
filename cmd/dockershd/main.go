// Dockershd is the broker of dockersh: it gives login shells their containers.
package main

import (
	"os"

	"dockersh/internal/service"
)

func main() { os.Exit(service.Main()) }
