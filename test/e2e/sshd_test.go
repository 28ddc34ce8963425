//go:build e2e

package e2e

import (
	"net"
	"os"
	"os/exec"
	"strings"
)

// port is sshd's on the loopback of our own network.
const port = "2222"

// forced is the Unix group whose members get dockersh by ForceCommand.
const forced = "dshforced"

const sshdConfig = `
ListenAddress 127.0.0.1
ListenAddress ::1
ExposeAuthInfo yes
Port ` + port + `
HostKey ` + scratch + `/hostkey
PidFile none
AuthorizedKeysFile ` + scratch + `/keys/%u
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
AcceptEnv LANG LC_* COLORTERM TZ NASTY_* LD_* PATH BASH_ENV
Subsystem sftp /usr/lib/openssh/sftp-server
`

var sshd = &daemon{
	name: "sshd",
	argv: []string{"/usr/sbin/sshd", "-D", "-e", "-f", scratch + "/sshd_config"},
	ready: func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
		}
		return err == nil
	},
}

func startSSHD() error {
	if err := keygen("hostkey"); err != nil {
		return err
	}
	config := sshdConfig
	// Since 9.8 sshd makes clients wait that end their sessions oddly.
	if exec.Command(sshd.argv[0], "-t", "-f", "/dev/null", "-h", scratch+"/hostkey", "-o", "PerSourcePenalties=no").Run() == nil {
		config += "PerSourcePenalties no\n"
	}
	config += "Match Group " + forced + "\n\tForceCommand " + front + "\n"
	if err := os.WriteFile(scratch+"/sshd_config", []byte(config), 0o600); err != nil {
		return err
	}
	if out, err := exec.Command("groupadd", forced).CombinedOutput(); err != nil {
		return &failed{"groupadd", string(out)}
	}
	return sshd.start()
}

func stopSSHD() { sshd.stop() }

type failed struct{ what, out string }

func (f *failed) Error() string { return f.what + ": " + strings.TrimSpace(f.out) }

func keygen(name string) error {
	out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scratch+"/"+name).CombinedOutput()
	if err != nil {
		return &failed{"ssh-keygen", string(out)}
	}
	return nil
}

// makeKey makes the one key that every account takes.
func makeKey() error { return keygen("key") }
