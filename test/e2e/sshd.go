package e2e

import (
	"net"
	"os"
	"os/exec"
)

// Port is sshd's port on the loopback interface of the run's own network.
const Port = "2222"

// ForcedGroup is the Unix group whose members get dockersh by ForceCommand.
const ForcedGroup = "dshforced"

const sshdConfig = `
ListenAddress 127.0.0.1
ListenAddress ::1
ExposeAuthInfo yes
Port ` + Port + `
HostKey ` + Scratch + `/hostkey
PidFile none
AuthorizedKeysFile ` + Scratch + `/keys/%u
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PermitUserEnvironment no
PrintMotd no
PrintLastLog no
UseDNS no
MaxStartups 1000
MaxSessions 1000
LoginGraceTime 120
LogLevel VERBOSE
AcceptEnv LANG LC_* COLORTERM TZ GIT_PROTOCOL NASTY_* LD_* PATH BASH_ENV
Subsystem sftp /usr/lib/openssh/sftp-server
`

// SSHD is the host's sshd.
var SSHD = &Daemon{
	Name:  "sshd",
	Argv:  []string{"/usr/sbin/sshd", "-D", "-e", "-f", Scratch + "/sshd_config"},
	Ready: func() bool { return Listens("127.0.0.1:" + Port) },
}

// Listens reports whether something accepts TCP connections at an address.
func Listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

func startSSHD() error {
	if err := Keygen("hostkey"); err != nil {
		return err
	}
	config := sshdConfig
	// Since 9.8 sshd makes clients wait whose sessions ended in unusual ways.
	if sshdTakes("PerSourcePenalties=no") {
		config += "PerSourcePenalties no\n"
	}
	config += "Match Group " + ForcedGroup + "\n\tForceCommand " + Front + "\n"
	if err := os.WriteFile(Scratch+"/sshd_config", []byte(config), 0o600); err != nil {
		return err
	}
	if out, err := exec.Command("groupadd", "-f", ForcedGroup).CombinedOutput(); err != nil {
		return &failed{"groupadd", string(out)}
	}
	return SSHD.Start()
}

// sshdTakes reports whether this release of sshd has an option.
func sshdTakes(option string) bool {
	return exec.Command(SSHD.Argv[0], "-t", "-f", "/dev/null", "-h", Scratch+"/hostkey", "-o", option).Run() == nil
}

// Keygen makes a key pair of that name in Scratch.
func Keygen(name string) error {
	out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Scratch+"/"+name).CombinedOutput()
	if err != nil {
		return &failed{"ssh-keygen", string(out)}
	}
	return nil
}

// makeKey makes the key that every account accepts.
func makeKey() error { return Keygen("key") }
