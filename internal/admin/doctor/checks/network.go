package checks

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
)

// What is wrong with the PAM module, where sshd's stack has it, and what it does not see.
var networkChecks = []check{
	{id: "pam-module", severity: Error, why: modulePage, host: eachPAM(pamModule)},
	{id: "pam-control", severity: Error, why: modulePage, host: eachPAM(pamControl)},
	{id: "pam-order", severity: Warning, why: modulePage, host: eachPAM(pamOrder)},
	{id: "pam-names", severity: Error, why: "docs/hardening.md", host: pamNames},
	{id: "pam-service", severity: Warning, why: modulePage, host: pamService},
	{id: "pam-off", severity: Error, why: modulePage, need: wantSSHD, user: pamOff},
	{id: "sshd-use-dns", severity: Warning, why: modulePage, need: wantSSHD, user: sshdUseDNS},
	{id: "key-command", severity: Warning, why: hole(4), need: wantSSHD, user: keyCommand},
	{id: "other-ssh", severity: Warning, why: hole(2), host: otherSSH},
}

const modulePage = "pam_dockersh(8)"

// eachPAM makes a check of a host from that of a PAM service.
func eachPAM(one func(*facts.PAMService) []fault) func(*facts.Host) []fault {
	return func(h *facts.Host) (all []fault) {
		for _, s := range h.PAM {
			all = append(all, one(s)...)
		}
		return all
	}
}

// pamModule finds a stack that names a file which is not there: libpam fails then.
func pamModule(s *facts.PAMService) []fault {
	if s.Missing == "" {
		return nil
	}
	return []fault{{text: "sshd's PAM stack names " + s.Missing + ", which is not there: nobody can log in over SSH",
		lines: []string{"make install (with a C compiler and libpam0g-dev), or remove the lines with " + facts.PAMModule}}}
}

// pamControl finds a line whose failure is ignored: the connection would stay on the host.
func pamControl(s *facts.PAMService) []fault {
	at := s.Opening()
	if at < 0 || s.Sessions[at].Holds() {
		return nil
	}
	r := s.Sessions[at]
	return []fault{{file: r.File, lines: []string{ruleLine(r)},
		text: "PAM ignores a failure of " + facts.PAMModule + " (" + r.Control + "): the connection would stay in the host's network"}}
}

// ruleLine returns the line that should be in a rule's place.
func ruleLine(r facts.PAMRule) string {
	return strings.TrimSpace("session required " + r.Module + " " + strings.Join(r.Args, " "))
}

// pamOrder finds modules that run in the user's network. pam_selinux(8) must be last, and is
// local.
func pamOrder(s *facts.PAMService) []fault {
	at := s.Opening()
	if at < 0 {
		return nil
	}
	var late, early []string
	for _, r := range s.Sessions[at+1:] {
		if !r.IsOurs() && filepath.Base(r.Module) != "pam_selinux.so" {
			late = append(late, filepath.Base(r.Module))
		}
	}
	closes := false
	for _, r := range s.Sessions {
		if closes = r.ActsAt("close"); closes {
			break
		}
		if filepath.Base(r.Module) != "pam_selinux.so" {
			early = append(early, filepath.Base(r.Module))
		}
	}
	file := s.Sessions[at].File
	var all []fault
	if len(late) > 0 {
		all = append(all, fault{text: "other modules open the session in the network of the user (" + strings.Join(late, ", ") +
			"): the line belongs behind all other session lines", file: file, lines: []string{ruleLine(s.Sessions[at])}})
	}
	if !closes || len(early) > 0 {
		text := "other modules close the session in the network of the user (" + strings.Join(early, ", ") + ")"
		all = append(all, fault{text: text + ": the line belongs before all other session lines", file: file,
			lines: []string{"session required " + s.Sessions[at].Module + " close"}})
	}
	return all
}

// hasModule reports whether our module puts connections into networks.
func hasModule(h *facts.Host) bool {
	return slices.ContainsFunc(h.PAM, func(s *facts.PAMService) bool { return s.Opening() >= 0 })
}

// pamNames finds name services that sshd asks for the user's groups in the user's own network.
func pamNames(h *facts.Host) (all []fault) {
	if !hasModule(h) {
		return nil
	}
	for _, s := range h.AskTheNetwork {
		all = append(all, fault{file: "/etc/nsswitch.conf", lines: []string{"sss (sssd), or ldap with nslcd running, in place of " + s},
			text: "the name service " + s + " asks over the network inside of sshd, which is in the user's network by " + facts.PAMModule +
				": a container can put its user into groups of the host"})
	}
	return all
}

// pamService finds a module that has nobody to ask.
func pamService(h *facts.Host) []fault {
	if h.Served || !hasModule(h) {
		return nil
	}
	return []fault{{text: "dockershd does not answer, and " + facts.PAMModule + " asks nobody else: connections have no network",
		lines: []string{"systemctl enable --now dockershd.socket"}}}
}

func pamOff(h *facts.Host, u *facts.User) *fault {
	if !u.Announces(h) || u.SSHD.On("usepam") {
		return nil
	}
	return sshdLine(h, "sshd does not use PAM, so that "+facts.PAMModule+" does nothing. "+
		"The line belongs outside of all Match blocks", "UsePAM yes")
}

// sshdUseDNS finds names of clients that are looked up again in the network of the user.
func sshdUseDNS(h *facts.Host, u *facts.User) *fault {
	if !u.Joined(h) || !u.SSHD.On("usedns") {
		return nil
	}
	return sshdLine(h, "sshd asks for the client's name, which may happen in the network of the user. "+
		"The line belongs outside of all Match blocks", "UseDNS no")
}

// keyCommand finds forced commands of keys that sshd never runs.
func keyCommand(h *facts.Host, u *facts.User) *fault {
	if !u.Forced(h) || len(u.KeyCommands) == 0 {
		return nil
	}
	return &fault{text: "sshd's ForceCommand voids the command= of keys in " + strings.Join(u.KeyCommands, ", ") +
		": those keys open a shell. Where dockersh is the shell in passwd, command= runs in the container without a ForceCommand",
		lines: []string{"chsh -s " + h.Front + " USER"}}
}

func otherSSH(h *facts.Host) []fault {
	var all []fault
	for _, name := range h.OtherSSH {
		all = append(all, fault{text: name + " runs: if it serves SSH, it knows neither ForceCommand nor " + facts.PAMModule +
			", so that only the shell in passwd counts, and what it forwards is the host's"})
	}
	return all
}
