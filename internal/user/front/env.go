package front

import "strings"

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
		if ok && name != "" && (in(always[:], name) || !in(never[:], name) && in(accept, name)) {
			env = append(env, e)
		}
	}
	return env
}

func in(patterns []string, name string) bool {
	for _, p := range patterns {
		if match(p, name) {
			return true
		}
	}
	return false
}

// match is sshd_config's pattern: * for any bytes, ? for one.
func match(pattern, s string) bool {
	star, from := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
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
