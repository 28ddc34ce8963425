package checks

import (
	"errors"
	"strings"
)

// MatchUsers gives the Match line for these users.
func MatchUsers(names []string) (string, error) {
	for _, n := range names {
		if n == "" || strings.ContainsFunc(n, notPlain) {
			return "", errors.New("sshd_config cannot hold the name " + n)
		}
	}
	return "User " + strings.Join(names, ","), nil
}

// MatchGroup gives the Match line for the members of a group.
func MatchGroup(name string) (string, error) {
	if name == "" || strings.ContainsFunc(name, notPlain) {
		return "", errors.New("sshd_config cannot hold the name " + name)
	}
	return "Group " + name, nil
}

// notPlain tells of what means something in a list of patterns, or in a line of
// sshd_config.
func notPlain(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`,!*?"'\#=/`, r) }

// Snippet gives the lines of sshd_config with which sshd passes: those for the
// whole host, and a block for whom match names. accept is what the settings let
// in of the client's environment.
func Snippet(match, front, file string, accept []string) string {
	var passed []string
	for _, p := range acceptable(accept) {
		if p != "TERM" { // it comes with the terminal
			passed = append(passed, p)
		}
	}
	env := ""
	if len(passed) > 0 {
		env = "\tAcceptEnv " + strings.Join(passed, " ") + "\n"
	} else {
		env = "\t# sshd keeps the list in front of all blocks unless there is one here.\n\tAcceptEnv COLORTERM\n"
	}
	return `# sshd's part of dockersh, as ` + "`dockershctl sshd-config`" + ` prints it. It belongs into
# ` + file + `, before every other line of its kind:
# the first one counts. Afterwards: sshd -t && systemctl reload ssh

# For the whole host: sshd does not take this line in a Match block. Files in a
# home must not say how programs of the host run.
PermitUserEnvironment no

Match ` + match + `
	# Whatever the client asks for, sftp within sshd included, dockersh is run.
	# Make it the shell in passwd too (chsh -s ` + front + ` NAME): sshd
	# runs this line by that shell, and bash would read the host's ~/.bashrc
	# first. passwd is the wall, also for su and the console; this line is the
	# second one, for the day that passwd says otherwise.
	ForceCommand ` + front + `
	# sshd forwards on the host, and asks no shell.
	DisableForwarding yes
	AllowTcpForwarding no
	AllowStreamLocalForwarding no
	# DisableForwarding leaves tunnels on, and before OpenSSH 10.0 X11.
	X11Forwarding no
	PermitTunnel no
	GatewayPorts no
	# No ~/.ssh/rc on the host.
	PermitUserRC no
	# What may come from the client, instead of the list of the whole host.
` + env + `	# dockersh is told which key was used.
	ExposeAuthInfo yes
# Ends the block, whatever follows.
Match all
`
}
