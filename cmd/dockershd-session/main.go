// Dockershd-session is the broker of one session, where no service runs.
package main

import (
	"os"

	"dockersh/internal/service"
)

func main() { os.Exit(service.Session()) }
