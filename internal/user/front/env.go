package front

import (
	"strings"

	"github.com/dockersh/dockersh/internal/host/sshd/pattern"
)

// never lists environment names (or, with a star, beginnings) that no setting
// lets in: they change what a program is rather than how it behaves, or are the
// session's own to say.
var never = [...]string{
	"LD_*", "DYLD_*", "GCONV_PATH", "GODEBUG", "GOTRACEBACK", "GLIBC_TUNABLES", "DOCKER_*", "BASH_ENV", "ENV", "IFS",
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "SSH_*", "BASH_FUNC_*",
}

// always lists what sshd says of the connection. SSH_TTY is the agent's to say,
// SSH_AUTH_SOCK and SSH_USER_AUTH are paths of the host.
var always = [...]string{"SSH_CLIENT", "SSH_CONNECTION"}

// insideEnv gives what of the client's environment goes into the container.
func insideEnv(environ, accept []string, shell string) []string {
	env := []string{"SHELL=" + shell}
	for _, e := range environ {
		name, _, ok := strings.Cut(e, "=")
		if ok && name != "" && (pattern.MatchAny(always[:], name) || !pattern.MatchAny(never[:], name) && pattern.MatchAny(accept, name)) {
			env = append(env, e)
		}
	}
	return env
}

// get finds a value in an environment; the first entry counts, as in getenv(3).
func get(environ []string, name string) string {
	for _, e := range environ {
		if n, v, ok := strings.Cut(e, "="); ok && n == name {
			return v
		}
	}
	return ""
}
