package front

import (
	"strings"

	"github.com/dockersh/dockersh/internal/host/sshd/pattern"
)

// never has the variables, as patterns, that no setting lets into a container: they
// change which code a program runs, or the session sets them itself.
var never = [...]string{
	"LD_*", "DYLD_*", "GCONV_PATH", "GODEBUG", "GOTRACEBACK", "GLIBC_TUNABLES", "DOCKER_*", "BASH_ENV", "ENV", "IFS",
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "SSH_*", "BASH_FUNC_*", "DISPLAY", "XAUTHORITY",
}

// always has the variables in which sshd describes the connection. The agent sets
// SSH_TTY; SSH_AUTH_SOCK and SSH_USER_AUTH are paths of the host.
var always = [...]string{"SSH_CLIENT", "SSH_CONNECTION"}

// env returns the session's environment: the part of the client's that goes into the
// container, and what the client asked for where another command was forced.
func (r request) env(environ, accept []string, shell string) []string {
	env := []string{"SHELL=" + shell}
	if r.original != "" {
		env = append(env, "SSH_ORIGINAL_COMMAND="+r.original)
	}
	for _, e := range environ {
		name, _, ok := strings.Cut(e, "=")
		if ok && name != "" && (pattern.MatchAny(always[:], name) || !pattern.MatchAny(never[:], name) && pattern.MatchAny(accept, name)) {
			env = append(env, e)
		}
	}
	return env
}
