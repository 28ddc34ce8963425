package e2e

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// PAMPort is the port of an sshd with Debian's own PAM stack and our module in it.
const PAMPort = "2224"

// PAMModule is the module under test.
const PAMModule = Prefix + "/security/pam_dockersh.so"

// PAMModuleArgs are its arguments there.
const PAMModuleArgs = "group=" + ForcedGroup

// PAMService is sshd's PAM service.
const PAMService = "/etc/pam.d/sshd"

// PAMSSHD is that sshd. It forwards as the settings of sshd with the module allow.
var PAMSSHD = EngineOnce(func() error {
	if _, err := os.Stat(PAMModule); err != nil {
		return errors.Join(ErrNotHere, err)
	}
	if err := AddPAMModule(PAMModuleArgs); err != nil {
		return err
	}
	config, err := os.ReadFile(Scratch + "/sshd_config")
	if err != nil {
		return err
	}
	text := strings.NewReplacer("Port "+Port+"\n", "Port "+PAMPort+"\n", "UsePAM no\n",
		"UsePAM yes\nAllowStreamLocalForwarding no\nPermitTunnel no\nX11Forwarding yes\n").Replace(string(config))
	if err := os.WriteFile(Scratch+"/sshd_config_pam", []byte(text), 0o600); err != nil {
		return err
	}
	return pamSSHD.Start()
})

var pamSSHD = &Daemon{
	Name:  "sshd-pam",
	Argv:  []string{"/usr/sbin/sshd", "-D", "-e", "-f", Scratch + "/sshd_config_pam"},
	Ready: func() bool { return Listens("127.0.0.1:" + PAMPort) },
}

var ourLines = regexp.MustCompile(`(?m)^session.*pam_dockersh.*\n`)

// PAMLog returns what that sshd has written so far.
func PAMLog() string { return pamSSHD.Log() }

// AddPAMModule puts the module first and last among the session lines of sshd's PAM service, as
// pam_dockersh(8) says.
func AddPAMModule(args string) error {
	text, err := os.ReadFile(PAMService)
	if err != nil {
		return err
	}
	kept := ourLines.ReplaceAllString(string(text), "")
	at := regexp.MustCompile(`(?m)^(session|@include common-session)`).FindStringIndex(kept)
	if at == nil {
		return errors.New(PAMService + " has no session line")
	}
	line := "session required " + PAMModule
	return os.WriteFile(PAMService, []byte(kept[:at[0]]+line+" close\n"+kept[at[0]:]+line+" open "+args+"\n"), 0o644)
}

// RemovePAMModule takes the module out again: of logins to come, since sshd reads its PAM service
// for each.
func RemovePAMModule() error {
	text, err := os.ReadFile(PAMService)
	if err != nil {
		return err
	}
	return os.WriteFile(PAMService, ourLines.ReplaceAll(text, nil), 0o644)
}

// PAMArgv is SSHArgv by the sshd with the module. args have the host, 127.0.0.1, in its place.
func PAMArgv(a *Account, args ...string) []string {
	argv := SSHArgv(a, args...)
	argv[slices.Index(argv, "-p")+1] = PAMPort
	return argv
}

// PAMSSH runs a command by the sshd with the module, and returns its output.
func PAMSSH(t testing.TB, a *Account, command string) string {
	t.Helper()
	return OnHost(t, PAMArgv(a, "127.0.0.1", command)...)
}
