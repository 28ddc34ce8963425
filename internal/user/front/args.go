package front

import (
	"strings"

	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// request is what the shell in the container should run.
type request struct {
	login    bool     // as a login shell, which reads the profile
	command  bool     // a command: of -c, or the original one of a forced session
	args     []string // for the shell, after its argv[0]
	original string   // SSH_ORIGINAL_COMMAND, where something else was forced
	nothing  bool     // nothing: sshd asked for ~/.ssh/rc
}

// isSSHRC reports whether sshd asks the login shell to run ~/.ssh/rc (by its full path
// since OpenSSH 8.7). That file is for the host, where its owner may run nothing, and
// sshd(8) ignores the outcome.
func isSSHRC(command, home string) bool {
	file, ok := strings.CutPrefix(command, "/bin/sh ")
	return ok && (file == ".ssh/rc" || file == home+"/.ssh/rc")
}

// invocation is what the meaning of the arguments depends on.
type invocation struct {
	original string            // SSH_ORIGINAL_COMMAND
	home     string            // HOME
	isSelf   func(string) bool // reports whether a word is the path of this program
}

// parseArgs interprets argv as a shell would.
func parseArgs(argv []string, in invocation) (request, error) {
	var r request
	if len(argv) == 0 {
		argv = []string{"dockersh"}
	}
	r.login = strings.HasPrefix(argv[0], "-")
	command, rest, err := parseOptions(&r, argv[1:])
	if err != nil {
		return r, err
	}
	if !r.command && len(rest) > 0 {
		// A script and its arguments, as with `su - alice file`.
		r.args, r.original = rest, in.original
		return r, nil
	}
	if r.command {
		if isSSHRC(command, in.home) {
			r.nothing = true
			return r, nil
		}
		// This program is both the ForceCommand and the login shell: sshd runs
		// "dockersh -c dockersh". The words after our name are our arguments.
		if words := strings.Fields(command); len(words) > 0 && in.isSelf(words[0]) {
			in.isSelf = func(string) bool { return false }
			forced, err := parseArgs(words, in)
			forced.login = forced.login || r.login
			return forced, err
		}
		r.args, r.original = append([]string{"-c", command}, rest...), in.original
		return r, nil
	}
	if in.original != "" {
		r.command = true
		r.args = []string{"-c", in.original}
		return r, nil
	}
	r.login = true
	return r, nil
}

// usage is the hint of an error in the arguments.
const usage = "run: dockersh [-l] [-c command]"

// parseOptions parses -c, -l and -i, separate or combined, at the start of args, and
// returns the rest. The word behind -c is the command, even if it begins with a dash:
// sshd puts the client's command there.
func parseOptions(r *request, args []string) (command string, rest []string, err error) {
	for !r.command && len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		word := args[0]
		args = args[1:]
		switch word {
		case "--":
			return command, args, nil
		case "--login":
			r.login = true
			continue
		}
		for _, o := range word[1:] {
			switch o {
			case 'l':
				r.login = true
			case 'i': // every session with a terminal is interactive
			case 'c':
				r.command = true
			default:
				return "", nil, usererr.New(usererr.Protocol, "unknown option "+printable.Text(word),
					usage, nil)
			}
		}
	}
	if r.command {
		if len(args) == 0 {
			return "", nil, usererr.New(usererr.Protocol, "-c needs a command", usage, nil)
		}
		return args[0], args[1:], nil
	}
	return "", args, nil
}

// argv returns the argument vector of the shell in the container.
func (r request) argv(shell string) []string {
	zero := shell[strings.LastIndexByte(shell, '/')+1:]
	if r.login {
		zero = "-" + zero
	}
	return append([]string{zero}, r.args...)
}

// words returns the command for the log, and whether it was cut to wire.MaxWords.
func (r request) words() (words []byte, cut bool) {
	args := r.args
	if r.command {
		args = args[1:] // without -c
	}
	text := strings.Join(args, " ")
	return []byte(text[:min(len(text), wire.MaxWords)]), len(text) > wire.MaxWords
}
