package doctor

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// looker is what all looks at users share.
type looker struct {
	db     *account.DB
	file   *config.File
	failed bool // there is a settings file, and it is wrong
	asked  bool // the users were named by the administrator
}

// lookAtUsers looks at each of these, and keeps whoever is to be judged.
func lookAtUsers(ctx context.Context, h *facts.Host, l *looker, users []account.User, progress func(done, all int)) {
	looked := make([]*facts.User, len(users))
	var mu sync.Mutex
	done := 0
	each(len(users), func(i int) {
		looked[i] = lookAtUser(ctx, h, l, users[i])
		mu.Lock()
		defer mu.Unlock()
		done++
		progress(done, len(users))
	})
	for _, u := range looked {
		// Who gets a shell of the host by intention has nothing to be kept from.
		if l.asked || u.Settings == nil || u.Settings.HostShell == "" {
			h.Users = append(h.Users, u)
		}
	}
}

func lookAtUser(ctx context.Context, h *facts.Host, l *looker, a account.User) *facts.User {
	u := &facts.User{User: a, RealHome: real(a.Home)}
	groups, err := l.db.Groups(ctx, a)
	if err != nil {
		u.SettingsErr = err.Error()
		return u
	}
	for _, g := range groups {
		u.Groups = append(u.Groups, g.Name)
	}
	if !l.failed {
		s, err := settings.For(l.file, settings.Login{User: a, MemberOf: func(group string) (bool, error) { return slices.Contains(u.Groups, group), nil }})
		if err != nil {
			u.SettingsErr = err.Error()
		} else {
			u.ByAddress, u.ByKey = s.Written.UsedBy('i'), s.Written.UsedBy('k')
			u.Settings, u.Recording = s.Settings, lookAtRecordings(h, s.Settings)
			if policy.EngineOf(u.Settings).Local() {
				u.Sources = facts.Sources(u.Settings) // of this host
			}
		}
	}
	for i := range u.Sources {
		u.Sources[i].Real = real(u.Sources[i].Path)
	}
	if h.SSHD != "" && h.SSHDErr == "" {
		if u.SSHD, err = askSSHD(ctx, h, a.Name); err != nil {
			u.SSHDErr = err.Error()
		}
	}
	u.Sockets = mayOpen(ctx, a, groups, socketsOf(u.Settings))
	return u
}

// real is a path without links; as it is, when it leads nowhere.
func real(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		return r
	}
	return filepath.Clean(path)
}

// socketsOf gives the sockets that make whoever opens them root: the one of the
// settings, and those of engines where they usually are.
func socketsOf(s *config.Settings) []string {
	all := []string{"/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/crio/crio.sock", "/run/buildkit/buildkitd.sock",
		"/var/lib/incus/unix.socket", "/var/lib/lxd/unix.socket", "/var/snap/lxd/common/lxd/unix.socket"}
	if s != nil {
		all = append(all, s.DockerSocket)
	}
	var out []string
	for _, p := range all {
		if p, err := filepath.EvalSymlinks(p); err == nil && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// mayOpen asks the kernel which of these files the user can write. It knows
// about groups, access control lists and the directories above.
func mayOpen(ctx context.Context, u account.User, groups []account.Group, files []string) []string {
	if len(files) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", `for f; do if [ -w "$f" ]; then echo "$f"; fi; done`, "sh"}, files...)...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = "/", []string{}, time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential(u, groups)}
	out, _ := cmd.Output() // what it told before it failed counts
	return strings.Fields(string(out))
}

func credential(u account.User, groups []account.Group) *syscall.Credential {
	c := &syscall.Credential{Uid: u.UID, Gid: u.GID}
	for _, g := range groups {
		c.Groups = append(c.Groups, g.GID)
	}
	return c
}
