// Dockershd is the broker of dockersh: it decides which login enters which container.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/engine/byaddress"
	"github.com/dockersh/dockersh/internal/root/daemon"
)

func main() { os.Exit(daemon.Main(byaddress.Open)) }
