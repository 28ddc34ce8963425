package agent

import (
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// baseEnv returns what each session starts with, under its own environment: that of the
// container, with the identity that the broker gave.
func baseEnv(container []string, user *wire.Serve) []string {
	return overlay(container, []string{"USER=" + user.User, "LOGNAME=" + user.User, "HOME=" + user.Home})
}

// withTTY replaces what sshd said of its own terminal, if the session is sshd's.
func withTTY(env []string, tty string) []string {
	if !has(env, "SSH_CONNECTION") {
		return env
	}
	return overlay(env, []string{"SSH_TTY=" + tty})
}

// overlay returns base and over together; entries of over replace those of the same
// name.
func overlay(base, over []string) []string {
	out := make([]string, 0, len(base)+len(over))
	for _, entry := range base {
		if name, _, _ := strings.Cut(entry, "="); !has(over, name) {
			out = append(out, entry)
		}
	}
	return append(out, over...)
}

// has reports whether env has an entry of this name.
func has(env []string, name string) bool {
	return slices.ContainsFunc(env, func(entry string) bool {
		n, _, _ := strings.Cut(entry, "=")
		return n == name
	})
}
