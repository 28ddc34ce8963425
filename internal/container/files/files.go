// Package files is the program that serves files in containers whose image has no programs
// for it: it is an sftp server, or the remote side of scp. It has the rights of the user who
// started it and no others.
package files

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/container/files/scp"
	"github.com/dockersh/dockersh/internal/container/files/sftp"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/version"
)

// Main runs dockersh-files and returns its exit code.
func Main() int {
	// What has the same pipe may have left it non-blocking, and then a read of an empty one fails.
	_, _ = unix.SetNonblock(0, false), unix.SetNonblock(1, false)
	args := os.Args[1:]
	if len(args) > 0 {
		switch args[0] {
		case "sftp-server":
			var slice sys.TimeSlice
			return sftp.Main(args[1:], slice.Renew)
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
