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

// commandLimit is for one program that is asked something.
const commandLimit = 20 * time.Second

func lookAtSSHD(ctx context.Context, h *facts.Host) {
	h.SSHDFile = configFile()
	h.SFTPServer = firstThere("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/libexec/sftp-server", "/usr/lib/ssh/sftp-server")
	if h.SFTPServer == "" {
		h.SFTPServer = "/usr/lib/openssh/sftp-server"
	}
	if h.SSHD = firstThere("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"); h.SSHD == "" {
		return
	}
	if _, err := output(ctx, h.SSHD, "-T"); err != nil {
		h.SSHDErr = err.Error()
	}
}

// configFile is where a snippet for sshd belongs.
func configFile() string {
	for line := range strings.Lines(contents(sshdConfig)) {
		if f := strings.Fields(line); len(f) > 1 && strings.EqualFold(f[0], "include") && strings.HasPrefix(f[1], sshdDropIn+"/") {
			return sshdDropIn + "/dockersh.conf"
		}
	}
	return sshdConfig
}

// forcedBySSHD gives whom sshd's files, as they are written, lead to dockersh.
// sshd itself is asked about each of them later.
func forcedBySSHD() forced {
	files, _ := filepath.Glob(sshdDropIn + "/*.conf")
	var all forced
	for _, name := range append(files, sshdConfig) {
		f := forcedIn(contents(name), paths.Front())
		all.users, all.groups, all.everybody = append(all.users, f.users...), append(all.groups, f.groups...), all.everybody || f.everybody
	}
	return all
}

// askSSHD asks what sshd would do for a user who comes from some address of the
// Internet: of the range that is kept for examples.
func askSSHD(ctx context.Context, h *facts.Host, user string) (facts.Options, error) {
	if strings.ContainsAny(user, ",\n") {
		return nil, errors.New("sshd -T -C cannot be told this name")
	}
	out, err := output(ctx, h.SSHD, "-T", "-C", "user="+user+",host=client.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22")
	if err != nil {
		return nil, err
	}
	return facts.ParseOptions(out), nil
}

// output runs a program of root's, and gives what it writes or its first words
// of complaint.
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

func firstThere(paths ...string) string {
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	return ""
}
