package front

import (
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/remotecmd"
)

// notFound is the exit code of a shell that does not find the program of its command.
const notFound = 127

// whenNotFound returns a line for the user in case that the program of a command is missing, if
// it is one that clients expect on every host, such as rsync: their own message would be about
// a broken connection.
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
