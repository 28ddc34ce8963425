package checks

import (
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
)

var sshdChecks = []check{
	{id: "sshd-unknown", severity: Warning, why: hole(2), host: sshdUnknown},
	{id: "sshd-refuses", severity: Error, why: hole(2), user: sshdRefuses},
	{id: "sshd-sockets", severity: Error, why: hole(1), need: wantSSHD, user: sshdSockets},
	{id: "sshd-tcp", severity: Error, why: hole(2), need: wantSSHD, user: sshdTCP},
	{id: "sshd-gateway", severity: Error, why: hole(2), need: wantSSHD, user: sshdGateway},
	{id: "sshd-tunnel", severity: Error, why: hole(2), need: wantSSHD, user: sshdTunnel},
	{id: "sshd-x11", severity: Warning, why: hole(2), need: wantSSHD, user: sshdX11},
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
		return []fault{{text: "there is no OpenSSH server here: nothing that an ssh server does was judged"}}
	case h.SSHDErr != "":
		return []fault{{worse: true, text: "sshd cannot be asked for its options: " + h.SSHDErr, lines: []string{h.SSHD + " -t"}}}
	}
	return nil
}

func sshdRefuses(_ *facts.Host, u *facts.User) *fault {
	if u.SSHDErr == "" {
		return nil
	}
	return &fault{text: "sshd cannot be asked what it would do for such a user: " + u.SSHDErr}
}

// sshdLine is a fault whose remedy is a line of sshd_config in the Match block
// of the user.
func sshdLine(h *facts.Host, text string, lines ...string) *fault {
	return &fault{text: text, file: h.SSHDFile, lines: lines}
}

func sshdSockets(h *facts.Host, u *facts.User) *fault {
	if !forwardsSockets(u.SSHD) {
		return nil
	}
	return sshdLine(h, "sshd forwards unix sockets: every socket of the host that the user may open is reached without the login shell",
		"DisableForwarding yes", "AllowStreamLocalForwarding no")
}

func sshdTCP(h *facts.Host, u *facts.User) *fault {
	if !forwardsFromClient(u.SSHD) && !forwardsFromHost(u.SSHD) {
		return nil
	}
	return sshdLine(h, "sshd forwards TCP: the services of the host's loopback and of its networks are reached without the login shell",
		"DisableForwarding yes", "AllowTcpForwarding no")
}

func sshdGateway(h *facts.Host, u *facts.User) *fault {
	if !forwardsFromHost(u.SSHD) || u.SSHD.Get("gatewayports") == "no" {
		return nil
	}
	return sshdLine(h, "a forwarded port listens on every address of the host", "GatewayPorts no")
}

// A tunnel is not among what DisableForwarding switches off.
func sshdTunnel(h *facts.Host, u *facts.User) *fault {
	if v := u.SSHD.Get("permittunnel"); v == "no" || v == "" {
		return nil
	}
	return sshdLine(h, "sshd makes tunnels: network devices of the host that the client writes to", "PermitTunnel no")
}

// Before OpenSSH 10.0, DisableForwarding left X11 on (CVE-2025-32728).
func sshdX11(h *facts.Host, u *facts.User) *fault {
	if !u.SSHD.On("x11forwarding") {
		return nil
	}
	return sshdLine(h, "sshd forwards X11: it listens on the host's loopback and starts xauth on the host", "X11Forwarding no")
}

func sshdSFTP(h *facts.Host, u *facts.User) *fault {
	if u.SSHD.Forces("internal-sftp") {
		return sshdLine(h, "the forced command internal-sftp runs within sshd and serves the files of the host: the login shell is never asked", "ForceCommand "+h.Front)
	}
	inside := slices.ContainsFunc(u.SSHD["subsystem"], func(v string) bool {
		return slices.Contains(strings.Fields(v), "internal-sftp")
	})
	if !inside || u.Forced(h) {
		return nil // a forced command is run instead of it
	}
	return sshdLine(h, "internal-sftp runs within sshd and serves the files of the host: the login shell is never asked. "+
		"The line stands outside of every Match block, instead of the one that is there", "Subsystem sftp "+h.SFTPServer)
}

func sshdUserEnvironment(h *facts.Host, u *facts.User) *fault {
	v := u.SSHD.Get("permituserenvironment")
	if v == "no" || v == "" || v != "yes" && len(letsPass(strings.Split(v, ","))) == 0 {
		return nil
	}
	return sshdLine(h, "sshd takes variables like LD_PRELOAD from ~/.ssh/environment and authorized_keys. The line stands outside of every Match block",
		"PermitUserEnvironment no")
}

// With dockersh in passwd nothing comes of ~/.ssh/rc: it is a command that the
// login shell passes over.
func sshdUserRC(h *facts.Host, u *facts.User) *fault {
	if !u.SSHD.On("permituserrc") {
		return nil
	}
	f := sshdLine(h, "sshd offers ~/.ssh/rc to the user's shell on the host", "PermitUserRC no")
	f.worse = u.Shell != h.Front
	return f
}

func sshdAcceptEnv(h *facts.Host, u *facts.User) *fault {
	bad := letsPass(u.SSHD.Words("acceptenv"))
	if len(bad) == 0 {
		return nil
	}
	return sshdLine(h, "sshd takes variables from the client that say what runs on the host, or who is there (AcceptEnv "+strings.Join(bad, " ")+
		"). A list in the Match block replaces the one in front", "AcceptEnv "+strings.Join(acceptable(u.SSHD.Words("acceptenv")), " "))
}

func sshdSetEnv(h *facts.Host, u *facts.User) *fault {
	var bad []string
	for _, v := range u.SSHD.Words("setenv") {
		if name, _, _ := strings.Cut(v, "="); len(letsPass([]string{strings.Trim(name, `"`)})) > 0 {
			bad = append(bad, name)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return &fault{text: "sshd sets what it should know, or what changes the programs that it starts (" + strings.Join(bad, ", ") +
		"): take it out of SetEnv in sshd's configuration"}
}

func sshdAuthInfo(h *facts.Host, u *facts.User) *fault {
	if u.ByKey == "" || u.SSHD.On("exposeauthinfo") {
		return nil
	}
	return sshdLine(h, "the setting "+u.ByKey+" asks for the key that authenticated (%k), and sshd does not tell: logins are refused", "ExposeAuthInfo yes")
}

// acceptable gives the patterns that are harmless, or what containers take by
// default.
func acceptable(patterns []string) []string {
	var good []string
	for _, p := range patterns {
		if len(letsPass([]string{p})) == 0 {
			good = append(good, p)
		}
	}
	if len(good) == 0 {
		return []string{"LANG", "LC_*", "COLORTERM", "TZ"}
	}
	return good
}

// forwardsFromClient tells whether a client may reach a port on the host, or behind it.
func forwardsFromClient(o facts.Options) bool {
	return !o.On("disableforwarding") && slices.Contains([]string{"yes", "all", "local"}, o.Get("allowtcpforwarding")) && slices.ContainsFunc(o.Words("permitopen"), anywhere)
}

// forwardsFromHost tells whether a client may listen on the host.
func forwardsFromHost(o facts.Options) bool {
	return !o.On("disableforwarding") && slices.Contains([]string{"yes", "all", "remote"}, o.Get("allowtcpforwarding")) && slices.ContainsFunc(o.Words("permitlisten"), anyPort)
}

// forwardsSockets tells whether a client may reach, or make, unix sockets on the host.
func forwardsSockets(o facts.Options) bool {
	v := o.Get("allowstreamlocalforwarding")
	return !o.On("disableforwarding") && v != "" && v != "no"
}

// anywhere tells of a word of PermitOpen that stands for all hosts or all ports.
// What is listed one by one is the administrator's word.
func anywhere(place string) bool { return place == "any" || strings.Contains(place, "*") }

// anyPort is the same for PermitListen, where a port alone is written "*:8080".
func anyPort(place string) bool { return place == "any" || strings.HasSuffix(place, ":*") }
