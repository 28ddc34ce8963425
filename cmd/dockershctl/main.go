// Dockershctl controls the containers and sessions of dockersh.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/admin/ctl"
	"github.com/dockersh/dockersh/internal/engine/docker"
)

func main() { os.Exit(ctl.Main(docker.Open)) }
