// Dockershctl controls the containers and sessions of dockersh.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/admin/ctl"
	"github.com/dockersh/dockersh/internal/engine/byaddress"
)

func main() { os.Exit(ctl.Main(byaddress.Open)) }
