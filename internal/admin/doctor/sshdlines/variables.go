package sshdlines

import "github.com/dockersh/dockersh/internal/host/sshd/pattern"

// dangerous are names of environment variables that change what runs on the host, or
// name the client. sshd must not accept them from a client or from a file in a home.
// There is one of each family, for a pattern to match.
var dangerous = [...]string{
	"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GCONV_PATH", "GLIBC_TUNABLES", "GODEBUG", "GOTRACEBACK", "DOCKER_HOST", "DOCKER_CONFIG",
	"BASH_ENV", "ENV", "IFS", "PATH", "HOME", "USER", "LOGNAME", "SHELL", "ZDOTDIR", "XDG_CONFIG_HOME",
	"SSH_CLIENT", "SSH_CONNECTION", "SSH_ORIGINAL_COMMAND", "SSH_USER_AUTH", "SSH_AUTH_SOCK",
}

// UnsafePatterns returns the patterns, such as those of AcceptEnv, that match a dangerous name.
func UnsafePatterns(patterns []string) []string {
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

// Acceptable returns the patterns that are harmless, or the variables that containers
// accept by default if there are none.
func Acceptable(patterns []string) []string {
	var good []string
	for _, p := range patterns {
		if len(UnsafePatterns([]string{p})) == 0 {
			good = append(good, p)
		}
	}
	if len(good) == 0 {
		return []string{"LANG", "LC_*", "COLORTERM", "TZ", "GIT_PROTOCOL"}
	}
	return good
}
