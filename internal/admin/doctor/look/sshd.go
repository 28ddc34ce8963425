package look

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/admin/doctor/programs"
	"github.com/dockersh/dockersh/internal/host/paths"
)

const (
	sshdConfig = "/etc/ssh/sshd_config"
	sshdDropIn = "/etc/ssh/sshd_config.d"
)

func lookAtSSHD(ctx context.Context, h *facts.Host) {
	h.SSHDFile = SSHDFile()
	h.SFTPServer = firstExisting("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/libexec/sftp-server",
		"/usr/lib/ssh/sftp-server")
	if h.SFTPServer == "" {
		h.SFTPServer = "/usr/lib/openssh/sftp-server"
	}
	if h.SSHD = firstExisting("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"); h.SSHD == "" {
		return
	}
	if _, err := programs.Output(ctx, h.SSHD, "-T"); err != nil {
		h.SSHDErr = err.Error()
	}
}

// SSHDFile returns the file in which lines for sshd belong.
func SSHDFile() string {
	for line := range strings.Lines(contents(sshdConfig)) {
		if f := strings.Fields(line); len(f) > 1 && strings.EqualFold(f[0], "include") && strings.HasPrefix(f[1], sshdDropIn+"/") {
			return sshdDropIn + "/dockersh.conf"
		}
	}
	return sshdConfig
}

// forcedBySSHD returns the users and groups whom the files of sshd, as they are written,
// lead to dockersh. sshd itself is asked about each user later.
func forcedBySSHD() forced {
	files, _ := filepath.Glob(sshdDropIn + "/*.conf")
	var all forced
	for _, name := range append(files, sshdConfig) {
		f := forcedIn(contents(name), paths.Front())
		all.users, all.groups, all.everybody = append(all.users, f.users...), append(all.groups, f.groups...), all.everybody || f.everybody
	}
	return all
}

// askSSHD returns the options that sshd would have for a user from a foreign address. It
// asks with one of the addresses that are reserved for examples (RFC 5737).
func askSSHD(ctx context.Context, h *facts.Host, user string) (facts.Options, error) {
	if strings.ContainsAny(user, ",\n") {
		return nil, errors.New("sshd -T -C does not take this name")
	}
	out, err := programs.Output(ctx, h.SSHD, "-T", "-C", "user="+user+",host=client.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22")
	if err != nil {
		return nil, err
	}
	return facts.ParseOptions(out), nil
}

// firstExisting returns the first path that exists, or nothing.
func firstExisting(paths ...string) string {
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	return ""
}
