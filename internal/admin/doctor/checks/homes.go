package checks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
)

var homeChecks = []check{
	{id: "unanswered", severity: Error, why: "docs/failures.md", user: unanswered},
	{id: "mount-missing", severity: Error, why: "dockershrc(5), mounthomefrom", need: wantSettings, user: mountMissing},
	{id: "home-shared", severity: Warning, why: hole(5), need: wantSettings, user: homeShared},
	{id: "pam-user-environment", severity: Error, why: hole(5), user: pamUserEnvironment},
	{id: "root-inside", severity: Warning, why: "dockershrc(5), sudo", need: wantSettings, user: rootInHome},
	{id: "container-user", severity: Error, why: "dockershrc(5), Images that users choose", need: wantSettings, user: containerUser},
}

// unanswered finds file systems of the network that are away, and those of users that hang.
func unanswered(_ *facts.Host, u *facts.User) *fault {
	if len(u.Unanswered) == 0 {
		return nil
	}
	return &fault{text: u.Unanswered[0] + " does not answer: logins that need it are refused. Look at its file system",
		lines: []string{"findmnt --kernel --output TARGET,SOURCE,FSTYPE"}}
}

// mountMissing finds what the engine would have to mount and is not there.
func mountMissing(h *facts.Host, u *facts.User) *fault {
	if len(u.Missing) == 0 {
		return nil
	}
	s := u.Missing[0]
	f := &fault{text: s.Path + " (" + s.Key + ") does not exist: logins that start the container are refused"}
	if s.Key == "mounthomefrom" {
		f.text += ". With makehome dockersh makes homes"
		f.file, f.lines = h.Settings, []string{"makehome"}
		return f
	}
	f.lines = []string{"mkdir " + s.Path}
	return f
}

// homeWritten reports whether the container can write the home that programs of the host
// read.
func homeWritten(u *facts.User) bool { return sharing(u) != nil }

// sharing returns the mount by which the container can write the user's home, or nil.
func sharing(u *facts.User) *facts.Source {
	for i := range u.Sources {
		if s := &u.Sources[i]; s.Real == "/" || u.RealHome == s.Real || strings.HasPrefix(u.RealHome, s.Real+"/") {
			return s
		}
	}
	return nil
}

func homeShared(h *facts.Host, u *facts.User) *fault {
	s := sharing(u)
	if s == nil {
		return nil
	}
	f := &fault{
		worse: u.Shell != h.Front,
		text: "the container can write the home that programs of the host read and obey: sshd (~/.ssh), PAM, " +
			"the user's systemd (~/.config/systemd/user), " +
			"what cron starts, ~/.docker, ~/.config/containers",
	}
	if s.Key == "mounthomefrom" {
		f.file, f.lines = h.Settings, []string{"mounthomefrom = /srv/homes/%u"}
		return f
	}
	f.text += fmt.Sprintf(" (%s, %s). Mount another directory, or this one read-only", s.Key, s.Origin)
	return f
}

func pamUserEnvironment(h *facts.Host, u *facts.User) *fault {
	if len(h.EnvReaders) == 0 || !homeWritten(u) {
		return nil
	}
	f := &fault{
		text: "the container can write ~/.pam_environment, from which PAM takes variables like LD_PRELOAD " +
			"for programs of the host (user_readenv=1)",
	}
	for _, p := range h.EnvReaders {
		f.lines = append(f.lines, fmt.Sprintf("sed -i '%ds/user_readenv=1/user_readenv=0/' %s", p.Line, p.File))
	}
	return f
}

// rootInHome finds directories of the host in which root inside may leave setuid programs.
func rootInHome(h *facts.Host, u *facts.User) *fault {
	if !u.Settings.Sudo {
		return nil
	}
	for _, s := range u.Sources {
		m := facts.MountOf(h.Mounts, s.Real)
		if slices.Contains(m.Options, "nosuid") {
			continue
		}
		return &fault{
			text: "sudo makes users root inside, and root can leave setuid programs in " + s.Path +
				" (" + s.Key + "), which count on the host. Mount its file system with nosuid and nodev",
			file: "/etc/fstab", lines: []string{m.On + " ... nosuid,nodev"},
		}
	}
	return nil
}

// containerUser finds users who may bring an image and are somebody else in it: a name
// that the image does not explain, or the administrator's number whatever the image is.
func containerUser(_ *facts.Host, u *facts.User) *fault {
	name := u.Settings.ContainerUserName
	uid := strconv.FormatUint(uint64(u.UID), 10)
	if !u.Settings.UserMay("imagename") || name == u.Name || name == uid || strings.HasPrefix(name, uid+":") {
		return nil
	}
	what := "in which the name is only another name for the user's own numbers"
	if rootInside(name) {
		what = "in which everything then runs as root"
	} else if uid, _, _ := strings.Cut(name, ":"); strings.Trim(uid, "0123456789") == "" {
		what = "in which everything then has this number, and not the user's"
	}
	return &fault{text: "containerusername = " + name + " with enableuserimagename: users may bring an image, " + what,
		file: u.Settings.Origin("containerusername").String(), lines: []string{"containerusername = %u"}}
}
