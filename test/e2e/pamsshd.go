package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// PAMPort is the port of an sshd with Debian's own PAM stack and our module in it, and
// BarePAMPort that of one without our module.
const (
	PAMPort     = "2224"
	BarePAMPort = "2225"
)

// PAMModule is the module under test.
const PAMModule = Prefix + "/security/pam_dockersh.so"

// PAMService is sshd's PAM service.
const PAMService = "/etc/pam.d/sshd"

// PAMSSHD is that sshd. It forwards as the settings of sshd with the module allow.
var PAMSSHD = EngineOnce(func() error {
	if _, err := os.Stat(PAMModule); err != nil {
		return errors.Join(ErrNotHere, err)
	}
	if err := AddPAMModule("group=" + ForcedGroup); err != nil {
		return err
	}
	return startPAMSSHD(pamSSHD, PAMPort)
})

// BarePAMSSHD is the same sshd without the module: a copy of the program, since its name is
// that of its PAM service, or since OpenSSH 10.0 an option.
var BarePAMSSHD = EngineOnce(func() error {
	text, err := os.ReadFile(PAMService)
	if err != nil {
		return err
	}
	program, err := os.ReadFile(pamSSHD.Argv[0])
	if err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile("/etc/pam.d/sshd-bare", ourLines.ReplaceAll(text, nil), 0o644),
		os.WriteFile(barePAMSSHD.Argv[0], program, 0o755)); err != nil {
		return err
	}
	return startPAMSSHD(barePAMSSHD, BarePAMPort)
})

func startPAMSSHD(d *Daemon, port string) error {
	config, err := os.ReadFile(Scratch + "/sshd_config")
	if err != nil {
		return err
	}
	pam := "UsePAM yes\n"
	if service := filepath.Base(d.Argv[0]); sshdTakes("PAMServiceName=" + service) {
		pam += "PAMServiceName " + service + "\n"
	}
	text := strings.NewReplacer("Port "+Port+"\n", "Port "+port+"\n", "UsePAM no\n",
		pam+"AllowStreamLocalForwarding no\nPermitTunnel no\nX11Forwarding yes\n").Replace(string(config))
	if err := os.WriteFile(d.Argv[len(d.Argv)-1], []byte(text), 0o600); err != nil {
		return err
	}
	return d.Start()
}

func pamDaemon(name, program, port string) *Daemon {
	return &Daemon{
		Name:  name,
		Argv:  []string{program, "-D", "-e", "-f", Scratch + "/sshd_config_" + name},
		Ready: func() bool { return Listens("127.0.0.1:" + port) },
	}
}

var (
	pamSSHD     = pamDaemon("sshd-pam", "/usr/sbin/sshd", PAMPort)
	barePAMSSHD = pamDaemon("sshd-bare", Scratch+"/sshd-bare", BarePAMPort)
)

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
