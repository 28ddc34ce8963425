// Dockershctl shows and steers the containers of dockersh.
package main

import (
	"os"

	"dockersh/internal/admin"
)

func main() { os.Exit(admin.Main()) }
