package checks

import (
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/values"
)

var limitChecks = []check{
	{id: "log-driver", severity: Warning, why: hole(17), need: wantSettings, user: logDriver},
	{id: "pids-limit", severity: Warning, why: hole(17), need: wantSettings, user: pidsLimit},
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
