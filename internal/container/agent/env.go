package agent

import (
	"github.com/dockersh/dockersh/internal/proto/environ"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// baseEnv returns what each session starts with, under its own environment: that of the
// container, with the identity that the broker gave.
func baseEnv(container []string, user *wire.Serve) []string {
	return environ.Overlay(container, "USER="+user.User, "LOGNAME="+user.User, "HOME="+user.Home)
}

// withTTY replaces what sshd set about its own terminal, if the session is sshd's.
func withTTY(env []string, tty string) []string {
	if _, ok := environ.Lookup(env, "SSH_CONNECTION"); !ok {
		return env
	}
	return environ.Overlay(env, "SSH_TTY="+tty)
}
