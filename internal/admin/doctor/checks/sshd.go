package checks

import (
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/admin/doctor/sshdlines"
)

var sshdChecks = []check{
	{id: "sshd-unknown", severity: Warning, why: hole(2), host: sshdUnknown},
	{id: "sshd-refuses", severity: Error, why: hole(2), user: sshdRefuses},
	{id: "sshd-sockets", severity: Error, why: hole(1), need: wantSSHD, user: sshdSockets},
	{id: "sshd-tcp", severity: Error, why: hole(2), need: wantSSHD, user: sshdTCP},
	{id: "sshd-gateway", severity: Error, why: hole(2), need: wantSSHD, user: sshdGateway},
	{id: "sshd-tunnel", severity: Error, why: hole(2), need: wantSSHD, user: sshdTunnel},
	{id: "sshd-x11", severity: Warning, why: hole(2), need: wantSSHD, user: sshdX11},
	{id: "sshd-agent", severity: Warning, why: "dockershrc(5), forwardagent", need: wantSSHD, user: sshdAgent},
	{id: "sshd-internal-sftp", severity: Error, why: hole(3), need: wantSSHD, user: sshdSFTP},
	{id: "sshd-user-environment", severity: Error, why: hole(5), need: wantSSHD, user: sshdUserEnvironment},
	{id: "sshd-user-rc", severity: Warning, why: hole(5), need: wantSSHD, user: sshdUserRC},
	{id: "sshd-accept-env", severity: Error, why: hole(14), need: wantSSHD, user: sshdAcceptEnv},
	{id: "sshd-auth-info", severity: Error, why: "dockershrc(5)", need: wantSSHD, user: sshdAuthInfo},
	{id: "sshd-set-env", severity: Error, why: hole(15), need: wantSSHD, user: sshdSetEnv},
}

func sshdUnknown(h *facts.Host) []fault {
	switch {
	case h.SSHD == "":
		return []fault{{text: "there is no OpenSSH server: nothing that an ssh server does was judged"}}
	case h.SSHDErr != "":
		return []fault{{worse: true, text: "sshd cannot be asked for its options: " + h.SSHDErr, lines: []string{h.SSHD + " -t"}}}
	}
	return nil
}

func sshdRefuses(_ *facts.Host, u *facts.User) *fault {
	if u.SSHDErr == "" {
		return nil
	}
	return &fault{text: "sshd cannot be asked for its options for this user: " + u.SSHDErr}
}

// sshdLine returns a fault whose remedy is a line in the user's Match block of
// sshd_config.
func sshdLine(h *facts.Host, text string, lines ...string) *fault {
	return &fault{text: text, file: h.SSHDFile, lines: lines}
}

func sshdSockets(h *facts.Host, u *facts.User) *fault {
	if !forwardsSockets(u.SSHD) {
		return nil
	}
	return sshdLine(h, "sshd forwards unix sockets: clients reach every socket that the user can open on the host, without the login shell",
		"AllowStreamLocalForwarding no")
}

func sshdTCP(h *facts.Host, u *facts.User) *fault {
	if u.Joined(h) || !forwardsFromClient(u.SSHD) && !forwardsFromHost(u.SSHD) {
		return nil
	}
	return sshdLine(h, "sshd forwards TCP: clients reach services on the host's loopback and networks, without the login shell",
		"AllowTcpForwarding no")
}

func sshdGateway(h *facts.Host, u *facts.User) *fault {
	if u.Joined(h) || !forwardsFromHost(u.SSHD) || u.SSHD.Get("gatewayports") == "no" {
		return nil
	}
	return sshdLine(h, "forwarded ports listen on every address of the host", "GatewayPorts no")
}

// sshdTunnel finds tunnels, which DisableForwarding leaves on.
func sshdTunnel(h *facts.Host, u *facts.User) *fault {
	if v := u.SSHD.Get("permittunnel"); v == "no" || v == "" {
		return nil
	}
	return sshdLine(h, "sshd makes tunnels: clients write to network devices of the host", "PermitTunnel no")
}

// sshdX11 finds X11, which DisableForwarding left on before OpenSSH 10.0 (CVE-2025-32728).
func sshdX11(h *facts.Host, u *facts.User) *fault {
	if u.Joined(h) || !u.SSHD.On("x11forwarding") {
		return nil
	}
	return sshdLine(h, "sshd forwards X11: it listens on the host's loopback and starts xauth on the host", "X11Forwarding no")
}

// sshdAgent finds agents that reach a container past the front: since OpenSSH 10.1 sshd's socket
// is in the home.
func sshdAgent(h *facts.Host, u *facts.User) *fault {
	if u.Settings == nil || u.Settings.ForwardAgent || !homeWritten(u) {
		return nil
	}
	if u.SSHD.On("disableforwarding") || !u.SSHD.On("allowagentforwarding") {
		return nil
	}
	return sshdLine(h, "forwardagent is off, but sshd forwards agents: since OpenSSH 10.1 its socket is in ~/.ssh/agent, "+
		"and the container has that home mounted", "AllowAgentForwarding no")
}

func sshdSFTP(h *facts.Host, u *facts.User) *fault {
	if u.SSHD.Forces("internal-sftp") {
		return sshdLine(h, "the forced command internal-sftp runs within sshd and serves the files of the host, without the login shell",
			"ForceCommand "+h.Front)
	}
	inside := slices.ContainsFunc(u.SSHD["subsystem"], func(v string) bool {
		return slices.Contains(strings.Fields(v), "internal-sftp")
	})
	if !inside || u.Forced(h) {
		return nil // the forced command runs in its place
	}
	return sshdLine(h, "internal-sftp runs within sshd and serves the files of the host, without the login shell. "+
		"The line belongs outside of all Match blocks, in place of the one that is there", "Subsystem sftp "+h.SFTPServer)
}

func sshdUserEnvironment(h *facts.Host, u *facts.User) *fault {
	v := u.SSHD.Get("permituserenvironment")
	if v == "no" || v == "" || v != "yes" && len(sshdlines.UnsafePatterns(strings.Split(v, ","))) == 0 {
		return nil
	}
	return sshdLine(h, "sshd takes variables like LD_PRELOAD from ~/.ssh/environment and authorized_keys. "+
		"The line belongs outside of all Match blocks",
		"PermitUserEnvironment no")
}

// sshdUserRC finds ~/.ssh/rc. sshd runs it by the login shell, and dockersh ignores that
// command.
func sshdUserRC(h *facts.Host, u *facts.User) *fault {
	if !u.SSHD.On("permituserrc") {
		return nil
	}
	f := sshdLine(h, "sshd asks the user's shell to run ~/.ssh/rc on the host", "PermitUserRC no")
	f.worse = u.Shell != h.Front
	return f
}

func sshdAcceptEnv(h *facts.Host, u *facts.User) *fault {
	bad := sshdlines.UnsafePatterns(u.SSHD.Words("acceptenv"))
	if len(bad) == 0 {
		return nil
	}
	return sshdLine(h, "sshd accepts variables from the client that change what runs on the host, or that name the client "+
		"(AcceptEnv "+strings.Join(bad, " ")+"). A list in the Match block replaces the one before all blocks",
		"AcceptEnv "+strings.Join(sshdlines.Acceptable(u.SSHD.Words("acceptenv")), " "))
}

func sshdSetEnv(h *facts.Host, u *facts.User) *fault {
	var bad []string
	for _, v := range u.SSHD.Words("setenv") {
		if name, _, _ := strings.Cut(v, "="); len(sshdlines.UnsafePatterns([]string{strings.Trim(name, `"`)})) > 0 {
			bad = append(bad, name)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return &fault{text: "sshd sets variables that change the programs that it starts, or that name the client (" + strings.Join(bad, ", ") +
		"). Remove them from SetEnv in sshd's configuration"}
}

func sshdAuthInfo(h *facts.Host, u *facts.User) *fault {
	if u.ByKey == "" || u.SSHD.On("exposeauthinfo") || u.Joined(h) { // the module announces the key
		return nil
	}
	return sshdLine(h, "the setting "+u.ByKey+" needs the key that authenticated (%k), and sshd does not expose it: logins are refused",
		"ExposeAuthInfo yes")
}

// forwardsFromClient reports whether clients can reach ports on the host, or behind it.
func forwardsFromClient(o facts.Options) bool {
	return !o.On("disableforwarding") && slices.Contains([]string{"yes", "all", "local"}, o.Get("allowtcpforwarding")) &&
		slices.ContainsFunc(o.Words("permitopen"), anywhere)
}

// forwardsFromHost reports whether clients can listen on the host.
func forwardsFromHost(o facts.Options) bool {
	return !o.On("disableforwarding") && slices.Contains([]string{"yes", "all", "remote"}, o.Get("allowtcpforwarding")) &&
		slices.ContainsFunc(o.Words("permitlisten"), anyPort)
}

// forwardsSockets reports whether clients can reach, or make, unix sockets on the host.
func forwardsSockets(o facts.Options) bool {
	v := o.Get("allowstreamlocalforwarding")
	return !o.On("disableforwarding") && v != "" && v != "no"
}

// anywhere reports whether a word of PermitOpen stands for all hosts or all ports. Places
// that are listed one by one are left to the administrator.
func anywhere(place string) bool { return place == "any" || strings.Contains(place, "*") }

// anyPort is anywhere for PermitListen, where "*:8080" is a single port.
func anyPort(place string) bool { return place == "any" || strings.HasSuffix(place, ":*") }
