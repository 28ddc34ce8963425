package front

import (
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/remotecmd"
)

// notFound is the exit code of a shell that does not find the program of its command.
const notFound = 127

// whenNotFound returns what to say if the program of a command is not found of which clients
// know that hosts have it, as rsync: their own words would be of a broken connection.
func whenNotFound(argv []string, container string) string {
	command, ok := remotecmd.Of(argv)
	if !ok {
		return ""
	}
	c, ok := remotecmd.Parse(command)
	if !ok {
		return ""
	}
	return "dockersh: " + c.Name + " cannot be started in the container " + printable.Text(container) +
		": install it there, or use an image that has it"
}
