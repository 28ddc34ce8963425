package config

import (
	"path"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/rules/syntax"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// RightsMayGrow reports whether a program in the container may have more rights than the
// container user: because programs may gain some when they start, or because process 1 may
// be another user. Where the container user is root there are no more rights to gain.
func (s *Settings) RightsMayGrow() bool {
	uid, _, _ := strings.Cut(s.ContainerUserName, ":")
	return uid != "root" && uid != "0" && (!s.NoNewPrivileges || s.Sudo || s.Entrypoint != Internal && s.namesUser())
}

// namesUser reports whether an option of dockeropt names the user of process 1.
func (s *Settings) namesUser() bool {
	return slices.ContainsFunc(s.DockerOpt, func(words []string) bool {
		name, _ := values.Option(words)
		return name == "--user" || name == "-u"
	})
}

// volumeTarget returns where a volume is in the container.
func volumeTarget(v string) string {
	source, target, two := strings.Cut(v, ":")
	if !two {
		return source
	}
	target, _, _ = strings.Cut(target, ":")
	return target
}

// home returns where the home is in the container.
func (s *Settings) home() string {
	if s.MountHome {
		return s.MountHomeTo
	}
	return "%h"
}

// below reports whether a path lies below dir, as they are written.
func below(p, dir string) bool {
	return strings.HasPrefix(path.Clean(p), path.Clean(dir)+"/")
}

// BelowTmp reports whether a path in a container lies in a directory that is everybody's.
func BelowTmp(p string) bool {
	return below(p, "/tmp") || below(p, "/var/tmp") || below(p, "/dev/shm")
}

// systemPlaces are directories of every system. Those with a slash at the end stand for
// all that is below, too.
var systemPlaces = [...]string{
	"/.dockersh/", "/bin/", "/boot/", "/dev/", "/etc/", "/lib/", "/lib32/", "/lib64/", "/libx32/", "/proc/", "/run", "/sbin/", "/sys/",
	"/usr", "/usr/bin/", "/usr/lib/", "/usr/lib32/", "/usr/lib64/", "/usr/libexec/", "/usr/sbin/", "/usr/share/", "/var", "/var/run",
}

// IsSystemPlace reports whether a path is a directory of a container's own system: one
// that is mounted there breaks the system, or decides what its programs do.
func IsSystemPlace(p string) bool {
	p = path.Clean(p)
	for _, dir := range systemPlaces {
		if p == strings.TrimSuffix(dir, "/") || strings.HasSuffix(dir, "/") && strings.HasPrefix(p, dir) {
			return true
		}
	}
	return p == "/"
}

// needsFixedPlaces judges volumes as they are written. What their sequences make of them
// depends on the user, and is looked at when the container is started.
func needsFixedPlaces(s *Settings) *syntax.Problem {
	if !s.RightsMayGrow() {
		return nil
	}
	for _, v := range s.Volume {
		to := volumeTarget(v)
		if below(to, s.home()) || BelowTmp(to) {
			return syntax.Wrong(syntax.Quote(to)+" lies where users can make a link, and programs in the container may gain rights",
				"mount it at a place such as /mnt/"+path.Base(to)+", or set nonewprivileges")
		}
	}
	return nil
}

// needsFixedHome judges the place of a home as it is written.
func needsFixedHome(s *Settings) *syntax.Problem {
	if !s.RightsMayGrow() || !s.MountHome || !BelowTmp(s.MountHomeTo) {
		return nil
	}
	return syntax.Wrong(syntax.Quote(s.MountHomeTo)+" lies where users can make a link, and programs in the container may gain rights",
		"write a path such as /home/%u, or set nonewprivileges")
}

// needsHomePlace judges a path as it is written. What its sequences make of it depends on
// the user, and is the policy's to judge.
func needsHomePlace(s *Settings) *syntax.Problem {
	if !s.MountHome || !IsSystemPlace(s.MountHomeTo) {
		return needsFixedHome(s)
	}
	return syntax.Wrong(syntax.Quote(s.MountHomeTo)+" is part of the container's own system", "write a path such as /home/%u")
}
