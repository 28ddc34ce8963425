// Package files is the program that serves files in containers whose image has no programs
// for it: it is an sftp server, or the remote side of scp. It has the rights of the user who
// started it and no others.
package files

import (
	"os"
	"runtime/debug"

	"github.com/dockersh/dockersh/internal/container/files/scp"
	"github.com/dockersh/dockersh/internal/container/files/sftp"
	"github.com/dockersh/dockersh/internal/host/version"
)

// memory is how much memory the runtime tries to stay below: what is needed beside it is
// the program itself.
const memory = 12 << 20

// Main runs dockersh-files and returns its exit code.
func Main() int {
	debug.SetMemoryLimit(memory)
	args := os.Args[1:]
	if len(args) > 0 {
		switch args[0] {
		case "sftp-server":
			return sftp.Main(args[1:])
		case "scp":
			return scp.Main(args[1:])
		case "--version":
			_, _ = os.Stdout.WriteString("dockersh-files " + version.Get() + "\n")
			return 0
		}
	}
	_, _ = os.Stderr.WriteString("dockersh-files: error: sftp-server or scp is missing\n" +
		"hint: dockersh runs this program for sftp and scp clients\n")
	return 2
}
