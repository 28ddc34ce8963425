package agent

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/environ"
	"github.com/dockersh/dockersh/internal/proto/remotecmd"
)

// defaultPath is where shells look for programs if they have no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// withRemoteCommand returns the arguments of the session's shell, with a command that runs what
// the container has for it: clients of sftp and scp ask for a path of the host, or for a
// program that the image lacks. It remains the shell that runs the command.
func withRemoteCommand(argv, env []string) []string {
	command, ok := remotecmd.Of(argv)
	if !ok {
		return argv
	}
	c, _ := remotecmd.Parse(command)
	path := environ.Get(env, "PATH")
	if path == "" {
		path = defaultPath
	}
	for _, place := range c.Places {
		if word, _, _ := strings.Cut(place, " "); hasProgram(word, path) {
			return []string{argv[0], argv[1], place + c.Rest}
		}
	}
	return argv
}

// hasProgram reports whether a program is there: at its path, or by its name in one of the
// directories of path.
func hasProgram(word, path string) bool {
	if word[0] == '/' {
		return isProgram(word)
	}
	for dir := range strings.SplitSeq(path, ":") {
		if dir != "" && isProgram(dir+"/"+word) {
			return true
		}
	}
	return false
}

func isProgram(path string) bool {
	var st unix.Stat_t
	return unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && unix.Access(path, unix.X_OK) == nil
}
