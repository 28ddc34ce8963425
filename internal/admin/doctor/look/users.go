package look

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/admin/doctor/programs"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// Users returns the users of these names or, without names, those whose shell is
// dockersh, those whom a section of the settings names, and those whom the files of
// sshd lead to dockersh.
func Users(ctx context.Context, db *account.DB, file *config.File, names []string) ([]account.User, error) {
	var out []account.User
	add := func(name string) error {
		if slices.ContainsFunc(out, func(u account.User) bool { return u.Name == name }) {
			return nil
		}
		u, err := db.ByName(ctx, name)
		if err == nil {
			out = append(out, u)
		}
		return err
	}
	for _, name := range names {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	if len(names) > 0 {
		return out, nil
	}
	all, err := db.All(ctx)
	if err != nil {
		return nil, err
	}
	sshd := forcedBySSHD()
	for _, u := range all {
		if u.Shell == paths.Front() || sshd.everybody && isPerson(u) {
			out = append(out, u)
		}
	}
	named := append(file.Users(), sshd.users...)
	for _, group := range append(file.Groups(), sshd.groups...) {
		members, err := db.Members(ctx, group, all)
		if err != nil {
			return nil, err
		}
		named = append(named, members...)
	}
	for _, name := range named {
		if err := add(name); err != nil && !errors.Is(err, account.ErrUnknown) {
			return nil, err
		}
	}
	return out, nil
}

// isPerson reports whether an account is a person's, not the system's.
func isPerson(u account.User) bool { return u.UID >= 1000 && !facts.IsNologin(u.Shell) }

// gatherer is what the facts of all users are gathered with.
type gatherer struct {
	db     *account.DB
	file   *config.File
	failed bool // the settings file is wrong
	named  bool // the administrator named the users
	paths  *userPaths
	limits []string // texts of the files of pam_limits(8)
}

// lookAtUsers looks at each of the users. It leaves out those to whom the settings give
// a shell of the host, unless the administrator named them: there is nothing to keep
// them from.
func lookAtUsers(ctx context.Context, h *facts.Host, g *gatherer, users []account.User, progress func(done, all int)) {
	looked := make([]*facts.User, len(users))
	var mu sync.Mutex
	done := 0
	const atOnce = 4
	cli.ForEach(users, atOnce, func(i int, a account.User) {
		looked[i] = lookAtUser(ctx, h, g, a)
		mu.Lock()
		defer mu.Unlock()
		done++
		progress(done, len(users))
	})
	for _, u := range looked {
		if g.named || u.Settings == nil || u.Settings.HostShell == "" {
			h.Users = append(h.Users, u)
		}
	}
}

func lookAtUser(ctx context.Context, h *facts.Host, g *gatherer, a account.User) *facts.User {
	u := &facts.User{User: a}
	real := func(path string) string {
		path, answered := g.paths.realPath(ctx, path)
		if !answered {
			u.Unanswered = append(u.Unanswered, path)
		}
		return path
	}
	u.RealHome = real(a.Home)
	if u.Unanswered == nil {
		real(a.Home + "/.dockersh")
	}
	groups, err := g.db.Groups(ctx, a)
	if err != nil {
		u.SettingsErr = err.Error()
		return u
	}
	for _, g := range groups {
		u.Groups = append(u.Groups, g.Name)
	}
	u.Limits = facts.LimitsOf(g.limits, a, u.Groups)
	if !g.failed {
		s, err := settings.For(g.file, settings.Login{User: a,
			MemberOf: func(groups []string) ([]string, error) { return g.db.MemberOf(ctx, a, groups) }})
		if err != nil {
			u.SettingsErr = err.Error()
		} else {
			u.ByAddress, u.ByKey = s.Written.UsedBy('i'), s.Written.UsedBy('k')
			u.Settings = s.Settings
			c, err := policy.DecideConnection(a, account.Supplementary(groups, a.GID), s.Settings, s.Written)
			u.Joins = err == nil && !c.OnHost
			u.Recording = g.paths.lookAtRecordings(ctx, h, s.Settings)
			if policy.EngineOf(u.Settings).Local() {
				u.Sources = facts.Sources(u.Settings) // of this host
				u.Missing = g.paths.missing(ctx, facts.Needed(u.Settings))
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
		if u.Unanswered == nil {
			u.KeyCommands = keyCommands(ctx, a, groups, u.SSHD)
		}
	}
	sockets := socketsOf(u.Settings, a.UID, real)
	u.Sockets = mayOpen(ctx, a, groups, slices.DeleteFunc(sockets, func(p string) bool { return slices.Contains(u.Unanswered, p) }))
	u.Sockets = slices.DeleteFunc(u.Sockets, func(p string) bool { return listensAs(p, a.UID) })
	return u
}

// listensAs reports whether the process that listens at a socket is the user's: an engine there
// has the user's own rights.
func listensAs(socket string, uid uint32) bool {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if unix.Connect(fd, &unix.SockaddrUnix{Name: socket}) != nil {
		return false
	}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	return err == nil && cred.Uid == uid
}

// socketsOf returns the sockets of engines: that of the settings, and those in the usual
// places. Everybody who can open one of them is root.
func socketsOf(s *config.Settings, uid uint32, real func(string) string) []string {
	all := []string{"/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/crio/crio.sock",
		"/run/buildkit/buildkitd.sock",
		"/var/lib/incus/unix.socket", "/var/lib/lxd/unix.socket", "/var/snap/lxd/common/lxd/unix.socket"}
	if s != nil {
		all = append(all, s.DockerSocket)
	}
	rootless := fmt.Sprintf("/run/user/%d/", uid) // an engine there has the user's own rights
	var out []string
	for _, p := range all {
		if p := real(p); !slices.Contains(out, p) && !strings.HasPrefix(p, rootless) {
			out = append(out, p)
		}
	}
	return out
}

// mayOpen returns the files that the user can write. It asks the kernel, which knows
// about groups, access control lists and the directories above.
func mayOpen(ctx context.Context, u account.User, groups []account.Group, files []string) []string {
	if len(files) == 0 {
		return nil
	}
	const script = `for f; do if [ -w "$f" ]; then echo "$f"; fi; done`
	return strings.Fields(programs.OutputAs(ctx, programs.Limit, u, groups, append([]string{"/bin/sh", "-c", script, "sh"}, files...)...))
}
