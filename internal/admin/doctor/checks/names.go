package checks

import "github.com/dockersh/dockersh/internal/host/sshd/pattern"

// dangerous are names of environment variables with which a client, or a file in
// a home, says what runs on the host or who is there: names that sshd must not
// take. One of each family, for a pattern to match.
var dangerous = [...]string{
	"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GCONV_PATH", "GLIBC_TUNABLES", "GODEBUG", "GOTRACEBACK", "DOCKER_HOST", "DOCKER_CONFIG",
	"BASH_ENV", "ENV", "IFS", "PATH", "HOME", "USER", "LOGNAME", "SHELL", "ZDOTDIR", "XDG_CONFIG_HOME",
	"SSH_CLIENT", "SSH_CONNECTION", "SSH_ORIGINAL_COMMAND", "SSH_USER_AUTH", "SSH_AUTH_SOCK",
}

// letsPass gives the patterns (of AcceptEnv, say) that let a dangerous name
// pass.
func letsPass(patterns []string) []string {
	var bad []string
	for _, p := range patterns {
		for _, name := range dangerous {
			if pattern.Match(p, name) {
				bad = append(bad, p)
				break
			}
		}
	}
	return bad
}
