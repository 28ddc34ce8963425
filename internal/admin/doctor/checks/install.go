package checks

import (
	"fmt"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/host/paths"
)

var installChecks = []check{
	{id: "settings-file", severity: Error, why: "dockershrc(5)", host: settingsFile},
	{id: "program-missing", severity: Error, why: "docs/install.md, make install", host: programMissing},
	{id: "program-owner", severity: Error, why: hole(6), host: programOwner},
	{id: "program-setuid", severity: Error, why: hole(7), host: programSetuid},
	{id: "no-door", severity: Error, why: "dockershd(8)", host: noDoor},
	{id: "inventory", severity: Error, why: "docs/failures.md", host: inventory},
	{id: "etc-shells", severity: Warning, why: "shells(5)", host: etcShells},
}

func settingsFile(h *facts.Host) []fault {
	if h.SettingsErr == "" {
		return nil
	}
	return []fault{{text: "every login is refused: " + h.SettingsErr, lines: []string{"dockershctl check"}}}
}

func programMissing(h *facts.Host) []fault {
	var out []fault
	for _, f := range h.Programs {
		if f.Missing {
			line := "make install"
			if f.Path == paths.Pods() || filepath.Base(f.Path) == "dockersh-podinit" {
				line = "make install-pods"
			}
			out = append(out, fault{text: f.Path + " is missing", lines: []string{line}})
		}
	}
	return out
}

// programOwner finds programs, and directories above them, that others than root can
// change. They could act as everybody who runs the program: as root for dockershd, as
// every user for dockersh, as every container user for what is mounted into containers.
func programOwner(h *facts.Host) []fault {
	var out []fault
	for _, f := range h.Programs {
		switch {
		case f.Missing || f.Mode&unix.S_IFMT == unix.S_IFLNK && f.UID == 0:
		case f.UID != 0:
			out = append(out, fault{text: fmt.Sprintf("%s belongs to uid %d, which can change what others run", f.Path, f.UID),
				lines: []string{"chown root:root " + f.Path}})
		case f.Mode&0o022 != 0 && f.Mode&(unix.S_IFDIR|unix.S_ISVTX) != unix.S_IFDIR|unix.S_ISVTX:
			out = append(out, fault{text: fmt.Sprintf("others than root can write %s (mode %04o)", f.Path, f.Mode&0o7777),
				lines: []string{"chmod go-w " + f.Path}})
		}
	}
	return out
}

func programSetuid(h *facts.Host) []fault {
	var out []fault
	for _, f := range h.Programs {
		if f.Missing || f.Mode&unix.S_IFMT != unix.S_IFREG || f.Mode&(unix.S_ISUID|unix.S_ISGID) == 0 {
			continue
		}
		switch {
		case f.Path != h.Front:
			out = append(out, fault{text: f.Path + " is setuid or setgid, and must not be", lines: []string{"chmod ug-s " + f.Path}})
		case f.Mode&unix.S_ISGID != 0:
			out = append(out, fault{text: f.Path + " is setgid, and must not be", lines: []string{"chmod g-s " + f.Path}})
		case h.Served:
			out = append(out, fault{text: f.Path + " is setuid, and dockershd runs: one of the two doors is enough",
				lines: []string{"chmod u-s " + f.Path}})
		case h.NoSuid:
			out = append(out, fault{text: f.Path + " is setuid on a file system that is mounted nosuid: the bit has no effect",
				lines: []string{"systemctl enable --now dockershd.socket dockershd.service"}})
		case h.Dumpable:
			out = append(out, fault{text: "the kernel dumps setuid programs as root into the directory where users start them " +
				"(fs.suid_dumpable = 1), and " +
				f.Path + " is setuid", lines: []string{"sysctl -w fs.suid_dumpable=0"}})
		}
	}
	return out
}

// frontOf returns the login shell among the programs.
func frontOf(h *facts.Host) facts.File {
	if i := slices.IndexFunc(h.Programs, func(f facts.File) bool { return f.Path == h.Front }); i >= 0 {
		return h.Programs[i]
	}
	return facts.File{Path: h.Front, Missing: true}
}

func noDoor(h *facts.Host) []fault {
	if h.Served || frontOf(h).Mode&unix.S_ISUID != 0 {
		return nil
	}
	return []fault{{text: "dockershd does not answer, and " + filepath.Base(h.Front) + " is not setuid: no user can log in",
		lines: []string{"systemctl enable --now dockershd.socket dockershd.service"}}}
}

func etcShells(h *facts.Host) []fault {
	if slices.Contains(h.Shells, h.Front) || !slices.ContainsFunc(h.Users, func(u *facts.User) bool { return u.Shell == h.Front }) {
		return nil
	}
	return []fault{{text: "dockersh is not listed as a shell: chsh and some PAM modules refuse it", file: "/etc/shells",
		lines: []string{h.Front}}}
}
