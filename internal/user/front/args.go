package front

import (
	"strings"

	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// request is what the caller wants run, in the words of a login shell.
type request struct {
	login   bool     // argv[0] begins with "-": the profile is read
	command bool     // -c was given, or a forced session's original command
	args    []string // for the shell inside, after its argv[0]
	nothing bool     // sshd's offer to run ~/.ssh/rc: done already
}

// isSSHRC tells whether sshd offers to run ~/.ssh/rc through the login shell (by
// its path since OpenSSH 8.7). That file is for the host, where its owner runs
// nothing, and sshd(8) ignores what becomes of it.
func isSSHRC(command, home string) bool {
	file, ok := strings.CutPrefix(command, "/bin/sh ")
	return ok && (file == ".ssh/rc" || file == home+"/.ssh/rc")
}

// caller is what is known of who starts us.
type caller struct {
	original string            // SSH_ORIGINAL_COMMAND
	home     string            // HOME
	self     func(string) bool // whether a word names this very program
}

// parse reads argv as a shell would.
func parse(argv []string, by caller) (request, error) {
	var r request
	if len(argv) == 0 {
		argv = []string{"dockersh"}
	}
	r.login = strings.HasPrefix(argv[0], "-")
	command, rest, err := options(&r, argv[1:])
	if err != nil {
		return r, err
	}
	if !r.command && len(rest) > 0 {
		// A script and its arguments, as with `su - alice file`.
		r.args = rest
		return r, nil
	}
	if r.command {
		if isSSHRC(command, by.home) {
			r.nothing = true
			return r, nil
		}
		// ForceCommand with us as the shell in passwd too: sshd runs
		// "dockersh -c dockersh". The words after our name are ours.
		if words := strings.Fields(command); len(words) > 0 && by.self(words[0]) {
			by.self = func(string) bool { return false }
			forced, err := parse(words, by)
			forced.login = forced.login || r.login
			return forced, err
		}
		r.args = append([]string{"-c", command}, rest...)
		return r, nil
	}
	if by.original != "" {
		r.command = true
		r.args = []string{"-c", by.original}
		return r, nil
	}
	r.login = true
	return r, nil
}

// options takes -c, -l and -i, alone or in one word, off args. The word behind -c
// is the command, even if it begins with a dash: sshd puts the client's there.
func options(r *request, args []string) (command string, rest []string, err error) {
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
			case 'i': // every session with a terminal is
			case 'c':
				r.command = true
			default:
				return "", nil, usererr.New(usererr.Protocol, "unknown option "+printable.Text(word),
					"usage: dockersh [-l] [-c command]", nil)
			}
		}
	}
	if r.command {
		if len(args) == 0 {
			return "", nil, usererr.New(usererr.Protocol, "-c needs a command", "usage: dockersh [-l] [-c command]", nil)
		}
		return args[0], args[1:], nil
	}
	return "", args, nil
}

// argv gives the argument vector of the shell inside.
func (r request) argv(shell string) []string {
	zero := shell[strings.LastIndexByte(shell, '/')+1:]
	if r.login {
		zero = "-" + zero
	}
	return append([]string{zero}, r.args...)
}

// words gives the command for the log, and whether it was cut to fit.
func (r request) words() (words []byte, cut bool) {
	args := r.args
	if r.command {
		args = args[1:] // behind -c
	}
	text := strings.Join(args, " ")
	return []byte(text[:min(len(text), wire.MaxWords)]), len(text) > wire.MaxWords
}
