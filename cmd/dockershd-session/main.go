// Dockershd-session is the broker of one session, where no service runs.
package main

import (
	"os"

	"github.com/dockersh/dockersh/internal/root/daemon"
)

func main() { os.Exit(daemon.Session()) }
