package front

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/user/dotfile"
)

// userFileLimit is how long ~/.dockersh may take to be read: the home may be on a server that
// does not answer. The broker decides whether the login can do without the file.
const userFileLimit = 3 * time.Second

// readUserFile is dotfile.Read with a limit. For the limit it takes another thread, which most
// logins are spared: they have no such file.
func readUserFile(home string) wire.UserFile {
	if dotfile.IsKnownAbsent(home) {
		return wire.UserFile{}
	}
	file, ok := wait.Within(userFileLimit, func() (f wire.UserFile) {
		f.UserFile, f.UserErr = dotfile.Read(home, unix.Geteuid())
		return f
	})
	if !ok {
		file.UserErr = "does not answer"
	}
	return file
}
