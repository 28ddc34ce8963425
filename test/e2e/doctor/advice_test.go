//go:build e2e

package doctor

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// Many things are wrong at once. Then each line is written and each command run that the
// doctor names.
func TestFollowingTheDoctorsAdviceLeavesNoFindings(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := soundHost(t)
	u.Configure(t, "mounthome", "pidslimit = 0")
	u.Join(t, "docker")
	e2e.OnHost(t, "usermod", "-s", "/bin/bash", u.Name)
	t.Cleanup(func() {
		e2e.OnHost(t, "chown", "root:root", "/run/docker.sock")
		e2e.OnHost(t, "chmod", "660", "/run/docker.sock")
	})
	e2e.OnHost(t, "chmod", "666", "/run/docker.sock")
	helper := e2e.Prefix + "/libexec/dockersh/dockersh-init"
	t.Cleanup(func() { e2e.OnHost(t, "chmod", "755", helper) })
	e2e.OnHost(t, "chmod", "777", helper)
	e2e.WriteFile(t, "/etc/shells", "/bin/sh\n/bin/bash\n") // chsh needs the old shell there
	e2e.WriteFile(t, "/etc/pam.d/sshd", "session required pam_env.so user_readenv=1\n")
	_ = os.Remove("/etc/ssh/sshd_config.d/dockersh.conf")
	e2e.WriteFile(t, "/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nSubsystem sftp internal-sftp\nPermitUserEnvironment yes\nPermitTunnel yes\n"+
		"X11Forwarding yes\nGatewayPorts yes\nAcceptEnv *\n")
	if err := os.MkdirAll("/srv/homes/"+u.Name, 0o755); err != nil {
		t.Fatal(err)
	}
	_ = os.Chown("/srv/homes/"+u.Name, u.UID, u.GID)

	lines := []string{"mounthome"}
	var seen []string
	for range 4 { // mending one thing may show another
		found, _, _ := runDoctor(t, u, accepted, "--no-login")
		if len(found) == 0 {
			break
		}
		for _, f := range found {
			seen = append(seen, f.ID)
			for _, line := range f.Lines {
				switch {
				case f.File == "":
					_ = exec.Command("sh", "-c", strings.ReplaceAll(line, "USER", u.Name)).Run() // the next findings show its effect
				case strings.HasPrefix(f.File, e2e.Settings):
					lines = append(lines, line)
				case f.File == "/etc/shells":
					e2e.WriteFile(t, f.File, "/bin/sh\n"+line+"\n")
				case strings.HasPrefix(f.File, "/etc/ssh/"):
					snippet, _, _ := e2e.Ctl(t, "sshd-config", u.Name)
					e2e.WriteFile(t, f.File, snippet)
				}
			}
		}
		u.Configure(t, lines...)
	}
	for _, id := range []string{"sshd-sockets", "sshd-tcp", "sshd-gateway", "sshd-tunnel", "sshd-x11", "sshd-internal-sftp", "sshd-user-environment", "sshd-user-rc",
		"sshd-accept-env", "docker-group", "engine-socket", "home-shared", "pam-user-environment", "pids-limit", "program-owner", "etc-shells", "shell-of-the-host"} {
		if !slices.Contains(seen, id) {
			t.Errorf("%s was not found; found: %q", id, seen)
		}
	}
	if found, seconds, status := runDoctor(t, u, accepted); len(found) != 0 || status != 0 || seconds <= 0 {
		t.Errorf("afterwards: status %d, a login of %v s, %+v", status, seconds, found)
	}
}
