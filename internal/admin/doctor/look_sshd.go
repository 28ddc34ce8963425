package doctor

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/host/paths"
)

const (
	sshdConfig = "/etc/ssh/sshd_config"
	sshdDropIn = "/etc/ssh/sshd_config.d"
)

// commandLimit bounds the run of a program that is asked for facts.
const commandLimit = 20 * time.Second

func lookAtSSHD(ctx context.Context, h *facts.Host) {
	h.SSHDFile = configFile()
	h.SFTPServer = firstExisting("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/libexec/sftp-server",
		"/usr/lib/ssh/sftp-server")
	if h.SFTPServer == "" {
		h.SFTPServer = "/usr/lib/openssh/sftp-server"
	}
	if h.SSHD = firstExisting("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"); h.SSHD == "" {
		return
	}
	if _, err := output(ctx, h.SSHD, "-T"); err != nil {
		h.SSHDErr = err.Error()
	}
}

// configFile returns the file in which lines for sshd belong.
func configFile() string {
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
	out, err := output(ctx, h.SSHD, "-T", "-C", "user="+user+",host=client.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22")
	if err != nil {
		return nil, err
	}
	return facts.ParseOptions(out), nil
}

// output runs a program as root and returns its output. The error is the first line of
// its error output, if there is one.
func output(ctx context.Context, argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = "/", []string{}, &out, &errs, time.Second
	if err := cmd.Run(); err != nil {
		if words, _, _ := strings.Cut(strings.TrimSpace(errs.String()), "\n"); words != "" {
			return "", errors.New(strings.TrimSpace(words))
		}
		return "", err
	}
	return out.String(), nil
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
