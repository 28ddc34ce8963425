package checks

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/values"
)

var limitChecks = []check{
	{id: "log-driver", severity: Warning, why: hole(17), need: wantSettings, user: logDriver},
	{id: "pids-limit", severity: Warning, why: hole(17), need: wantSettings, user: pidsLimit},
	{id: "host-limits", severity: Warning, why: "dockershrc(5), pidslimit", need: wantSettings, user: hostLimits},
	{id: "disk-limit", severity: Warning, why: hole(17), need: wantSettings, user: diskLimit},
	{id: "home-quota", severity: Warning, why: hole(17), need: wantSettings, user: homeQuota},
}

// endless are the drivers that keep all that they get, unless an option limits them.
var endless = []string{"json-file", "k8s-file"}

// logDriver finds a log without a limit. With our process 1 the driver is "none", with
// another one it is the limited "local", unless dockeropt sets another.
func logDriver(_ *facts.Host, u *facts.User) *fault {
	s := u.Settings
	if s.Entrypoint == config.Internal || !slices.Contains(endless, option(s, "--log-driver")) ||
		strings.Contains(option(s, "--log-opt"), "max-size=") {
		return nil
	}
	return &fault{text: "the log driver " + option(s, "--log-driver") + " keeps all that process 1 writes",
		file:  s.Origin("dockeropt").String(),
		lines: []string{"dockeropt = --log-opt max-size=10m"}}
}

func pidsLimit(h *facts.Host, u *facts.User) *fault {
	if u.Settings.PidsLimit > 0 {
		return nil
	}
	return &fault{text: "the container may have any number of processes: one user can use up those of the host",
		file:  place(h, u.Settings, "pidslimit"),
		lines: []string{"pidslimit = 1024"}}
}

// minAddressSpace is how much address space dockersh-files needs to start, with the limits of the
// login, and so does the broker of a login through the direct door: Go reserves it.
const minAddressSpace = 2 << 30

// hostLimits finds limits of the host by which a user is locked out. The kernel counts the
// processes of a container for the user's number on the host, unless the container has a user
// namespace.
func hostLimits(h *facts.Host, u *facts.User) *fault {
	file := "/etc/security/limits.d/dockersh.conf"
	if n := u.Limits.AddressSpace; n > 0 && n < minAddressSpace {
		return &fault{text: "PAM limits processes of the user to " + strconv.FormatUint(n>>20, 10) +
			" MB of address space, in the container, too: the program for sftp and scp needs 2 GB to start",
			file: file, lines: []string{"USER - as unlimited"}}
	}
	n, pids := u.Limits.Processes, u.Settings.PidsLimit
	if n == 0 || pids > 0 && uint64(pids)+sparedProcesses <= n || !countsOnHost(h, u) {
		return nil
	}
	return &fault{text: "PAM limits the user to " + strconv.FormatUint(n, 10) +
		" processes on the host, and those of the container count: with all that pidslimit allows, sshd can start no session of the user",
		file: file, lines: []string{"USER - nproc " + strconv.Itoa(max(pids, 1024)*2)}}
}

// sparedProcesses is how many processes and threads a few sessions take on the host.
const sparedProcesses = 64

// countsOnHost reports whether processes in the container have the user's number on the host.
func countsOnHost(h *facts.Host, u *facts.User) bool {
	name, uid := u.Settings.ContainerUserName, strconv.FormatUint(uint64(u.UID), 10)
	return (name == u.Name || name == uid || strings.HasPrefix(name, uid+":")) &&
		!slices.ContainsFunc(h.Engines, func(e *facts.Engine) bool { return e.Socket == u.Settings.DockerSocket && e.UserNamespaces })
}

func diskLimit(h *facts.Host, u *facts.User) *fault {
	if strings.Contains(option(u.Settings, "--storage-opt"), "size=") {
		return nil
	}
	return &fault{text: "the container's own file system has no limit: one user can fill the engine's disk. " +
		"The option needs a storage driver that supports it (overlay2 on xfs with pquota, btrfs, zfs)",
		file: h.Settings, lines: []string{"dockeropt = --storage-opt size=10G"}}
}

// homeQuota finds homes that are mounted from a file system without quotas.
func homeQuota(h *facts.Host, u *facts.User) *fault {
	if !u.Settings.MountHome {
		return nil
	}
	var on facts.Mount
	for _, s := range u.Sources {
		if s.Key == "mounthomefrom" {
			on = facts.MountOf(h.Mounts, s.Real)
		}
	}
	if on.On == "" || slices.ContainsFunc(on.Options, isQuota) {
		return nil
	}
	return &fault{text: "homes are on " + on.On + ", which is mounted without quotas: one user can fill it", file: "/etc/fstab",
		lines: []string{on.On + " ... usrquota"}}
}

func isQuota(o string) bool {
	name, _, _ := strings.Cut(o, "=")
	return slices.Contains([]string{"quota", "usrquota", "uquota", "usrjquota", "prjquota", "pquota",
		"grpquota", "gquota", "grpjquota"}, name)
}

// option returns the last value of an option among dockeropt.
func option(s *config.Settings, name string) string {
	value := ""
	for _, words := range s.DockerOpt {
		if n, v := values.Option(words); n == name {
			value = v
		}
	}
	return value
}

// place returns where a setting is set, or where to set it.
func place(h *facts.Host, s *config.Settings, key string) string {
	if s.IsSet(key) {
		return s.Origin(key).String()
	}
	return h.Settings
}
