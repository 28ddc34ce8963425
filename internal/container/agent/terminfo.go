package agent

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/environ"
)

// commonTerminal is a terminal that nearly every image knows, and that those of today
// behave like.
const commonTerminal = "xterm-256color"

// terminfo are the directories of the container in which ncurses looks for terminals. The
// home comes last: it may be slow, and is not looked at for a terminal that the image knows.
func terminfo(home string) []string {
	return []string{"/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", home + "/.terminfo"}
}

// withKnownTerminal replaces a TERM that the image does not know, such as that of a new
// terminal emulator, with which editors and pagers would not start. notice is a line for the
// user, or empty. TERM stays where there is no database, or one in another place; and so does a
// terminal that claims to have no capabilities.
func withKnownTerminal(env, dirs []string) (known []string, notice string) {
	term := environ.Get(env, "TERM")
	if term == "" || term == "dumb" || term == "unknown" || environ.Get(env, "TERMINFO") != "" || environ.Get(env, "TERMINFO_DIRS") != "" ||
		hasTerminal(dirs, term) || !hasTerminal(dirs, commonTerminal) {
		return env, ""
	}
	return environ.Overlay(env, "TERM="+commonTerminal), "this image does not know the terminal " + term + ", so TERM is " + commonTerminal
}

// hasTerminal reports whether one of the directories describes a terminal.
func hasTerminal(dirs []string, name string) bool {
	if strings.Contains(name, "/") {
		return false // ncurses takes none either
	}
	for _, dir := range dirs {
		if unix.Access(dir+"/"+name[:1]+"/"+name, unix.R_OK) == nil {
			return true
		}
	}
	return false
}
