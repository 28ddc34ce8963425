// Package sshdlines is the lines of sshd_config by which users get dockersh, and nothing of the
// host beside it: with them sshd passes the checks of package checks.
package sshdlines

import (
	"errors"
	"strings"

	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/template"
)

// MatchUsers returns the criteria of a Match line for these users.
func MatchUsers(names []string) (string, error) {
	for _, n := range names {
		if n == "" || strings.ContainsFunc(n, notPlain) {
			return "", errors.New("sshd_config cannot hold the name " + n)
		}
	}
	return "User " + strings.Join(names, ","), nil
}

// MatchGroup returns the criteria of a Match line for the members of a group.
func MatchGroup(name string) (string, error) {
	if name == "" || strings.ContainsFunc(name, notPlain) {
		return "", errors.New("sshd_config cannot hold the name " + name)
	}
	return "Group " + name, nil
}

// notPlain reports whether a character has a meaning in a list of patterns or a line of
// sshd_config.
func notPlain(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`,!*?"'\#=/`, r) }

// Lines is what the lines of sshd_config are made of.
type Lines struct {
	Match, Front string
	File         string   // where they belong
	Accept       []string // variables that the settings accept from the client

	Keys string // as KeysLine returns it, or empty

	Module bool     // pam_dockersh(8) leads forwards into containers
	Args   []string // of the module
	Agent  bool     // the settings carry ssh's agent into containers
	X11    bool     // with Module: and its displays
}

// forwarding returns the lines of the block about what sshd forwards.
func (l Lines) forwarding() string {
	word := map[bool]string{false: "no", true: "yes"}
	if !l.Module {
		return `	# sshd forwards on the host, without the login shell. Of the agent it makes only a
	# socket of the user's, from which dockersh carries it into the container.
	AllowAgentForwarding ` + word[l.Agent] + `
	AllowTcpForwarding no
	AllowStreamLocalForwarding no
	X11Forwarding no
	PermitTunnel no
	GatewayPorts no
`
	}
	return `	# pam_dockersh(8) puts the connection into the network of the user's container:
	# what sshd forwards is there, and not on the host.
	DisableForwarding no
	AllowTcpForwarding yes
	AllowAgentForwarding ` + word[l.Agent] + `
	X11Forwarding ` + word[l.X11] + `
	# Unix sockets are the host's, and in no network.
	AllowStreamLocalForwarding no
	PermitTunnel no
	GatewayPorts no
`
}

// global returns the lines for the whole host that the module needs.
func (l Lines) global() string {
	if !l.Module {
		return ""
	}
	return `# What follows forwards for these users only where sshd's PAM service (/etc/pam.d/sshd,
# unless PAMServiceName names another one) has, before all other session lines:
#     session required pam_dockersh.so close
# and behind them:
#     ` + strings.TrimSpace("session required pam_dockersh.so open "+strings.Join(l.Args, " ")) + `
UsePAM yes
UseDNS no

`
}

// Snippet returns the lines of sshd_config with which sshd passes the checks: those for
// the whole host, and a block for the users of l.Match.
func Snippet(l Lines) string {
	var passed []string
	for _, p := range Acceptable(l.Accept) {
		if p != "TERM" { // it comes with the terminal
			passed = append(passed, p)
		}
	}
	env := ""
	if len(passed) > 0 {
		env = "\tAcceptEnv " + strings.Join(passed, " ") + "\n"
	} else {
		env = "\t# Without a list here, sshd uses the one before all blocks.\n\tAcceptEnv COLORTERM\n"
	}
	return `# The lines of sshd_config for dockersh, printed by ` + "`dockershctl sshd-config`" + `.
# They belong in ` + l.File + `, before other lines
# with the same keywords: the first one counts. Then run:
# sshd -t && systemctl reload ssh

# For the whole host: sshd does not accept this line in a Match block. Files in a
# home must not change how programs of the host run.
PermitUserEnvironment no

` + l.global() + `Match ` + l.Match + `
	# sshd runs dockersh whatever the client asks for, even sftp within sshd. Make
	# it the shell in passwd too (chsh -s ` + l.Front + ` NAME): sshd runs
	# this command by that shell, and bash would read ~/.bashrc on the host first.
	# passwd is the wall, also for su and the console; this line is a second one.
	ForceCommand ` + l.Front + `
` + l.forwarding() + `	# No ~/.ssh/rc on the host.
	PermitUserRC no
	# The variables that a client may set, in place of the host's list.
` + env + `	# dockersh learns which key was used.
	ExposeAuthInfo yes
` + l.Keys + `# Ends the block, whatever follows.
Match all
`
}

// KeysLine returns the line by which sshd reads the keys that users write inside, in a mounted
// home. s are the settings as they are written.
func KeysLine(s *config.Settings) (string, error) {
	from := s.MountHomeFrom
	switch {
	case !s.MountHome:
		return "", usererr.New(usererr.Settings, "the settings mount no home, so sshd cannot read keys that users write inside",
			"set mounthome and mounthomefrom, for example to /srv/homes/%u", nil)
	case template.Uses(from, "Giksx"):
		return "", usererr.New(usererr.Settings, "sshd_config has no word for a sequence in mounthomefrom = "+printable.Text(from),
			"write mounthomefrom with %u, %U or %h", nil)
	case strings.ContainsAny(from, " \t\"'\\#"):
		return "", usererr.New(usererr.Settings, "sshd_config cannot hold the path "+printable.Text(from),
			"write mounthomefrom without special characters", nil)
	}
	return `	# What ssh-copy-id inside writes counts here, and so does what any program in the
	# container writes: it can let others log in as its user, into the same container.
	# ForceCommand wins over command= of a key. The second file is that of the home on the host.
	AuthorizedKeysFile ` + strings.TrimSuffix(from, "/") + `/.ssh/authorized_keys .ssh/authorized_keys
`, nil
}
