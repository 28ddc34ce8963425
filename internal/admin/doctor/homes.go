package doctor

import (
	"fmt"
	"strings"

	"github.com/dockersh/dockersh/internal/rules/config"
)

var homeChecks = []check{
	{id: "home-shared", severity: Warning, why: hole(5), need: wantSettings, user: homeShared},
	{id: "pam-user-environment", severity: Error, why: hole(5), user: pamUserEnvironment},
	{id: "host-given-away", severity: Warning, why: "README.md, Security", need: wantSettings, user: hostGivenAway},
}

// homeShared tells whether the container writes the home that programs of the
// host read.
func (u *User) homeShared() bool { return u.sharing() != nil }

func (u *User) sharing() *Source {
	for i := range u.Sources {
		if s := &u.Sources[i]; s.Real == "/" || u.RealHome == s.Real || strings.HasPrefix(u.RealHome, s.Real+"/") {
			return s
		}
	}
	return nil
}

func homeShared(h *Host, u *User) *fault {
	s := u.sharing()
	if s == nil {
		return nil
	}
	f := &fault{
		worse: u.Shell != h.Front,
		text: "the container can write the home that programs of the host read and obey: sshd (~/.ssh), PAM, the user's systemd (~/.config/systemd/user), " +
			"what cron starts, ~/.docker, ~/.config/containers",
	}
	if s.Key == "mounthomefrom" {
		f.file, f.lines = h.Settings, []string{"mounthomefrom = /srv/homes/%u"}
		return f
	}
	f.text += fmt.Sprintf(" (%s, %s): mount another directory, or this one read-only", s.Key, s.Origin)
	return f
}

func pamUserEnvironment(h *Host, u *User) *fault {
	if len(h.EnvReaders) == 0 || !u.homeShared() {
		return nil
	}
	f := &fault{text: "the container can write ~/.pam_environment, and PAM takes variables like LD_PRELOAD from it for programs of the host (user_readenv=1)"}
	for _, p := range h.EnvReaders {
		f.lines = append(f.lines, fmt.Sprintf("sed -i '%ds/user_readenv=1/user_readenv=0/' %s", p.Line, p.File))
	}
	return f
}

// Settings by which the administrator, knowing it or not, gives the host away.
var givesHost = map[string]string{
	"dockeropt":         "--privileged, -v /:/host and every other option",
	"mounthomefrom":     "any directory of the host",
	"mountdockersocket": "the engine's socket",
	"dockersocket":      "any path of the host as the engine's socket",
}

func hostGivenAway(_ *Host, u *User) *fault {
	if s := u.Settings; s.MountDockerSocket {
		return &fault{worse: true, text: "mountdockersocket gives the container the engine, and so the host", file: s.Origin("mountdockersocket").String(), lines: []string{"mountdockersocket = false"}}
	}
	for _, key := range []string{"dockeropt", "mounthomefrom", "mountdockersocket", "dockersocket"} {
		if gate := "enableuser" + key; u.Settings.UserMay(key) {
			return &fault{worse: true, text: gate + " lets the user have the host: " + givesHost[key], file: u.Settings.Origin(gate).String(), lines: []string{gate + " = false"}}
		}
	}
	if u.Settings.UserMay("containerusername") && u.Settings.MountHome {
		return &fault{text: "enableusercontainerusername with a mounted directory: root inside leaves setuid programs there, and reads what only root may",
			file: u.Settings.Origin("enableusercontainerusername").String(), lines: []string{"enableusercontainerusername = false"}}
	}
	return nil
}

// sources gives the directories of the host that the container of these settings
// can write: the home, volumes, and mounts among the engine's options.
func sources(s *config.Settings) []Source {
	var out []Source
	add := func(key, path string) {
		if strings.HasPrefix(path, "/") {
			out = append(out, Source{Key: key, Path: path, Origin: s.Origin(key)})
		}
	}
	if s.MountHome {
		add("mounthomefrom", s.MountHomeFrom)
	}
	for _, v := range s.Volume {
		add("volume", written(v))
	}
	for _, words := range s.DockerOpt {
		add("dockeropt", writtenByOption(words))
	}
	return out
}

// written gives the source of a mount in the language of docker's -v; empty when
// the mount is read-only.
func written(v string) string {
	parts := strings.Split(v, ":")
	if len(parts) > 2 {
		for _, o := range strings.Split(parts[2], ",") {
			if o == "ro" || o == "readonly" {
				return ""
			}
		}
	}
	return parts[0]
}

// writtenByOption is written for one option of docker create.
func writtenByOption(words []string) string {
	option := strings.Join(words, "=")
	for _, volume := range []string{"--volume=", "-v="} {
		if v, ok := strings.CutPrefix(option, volume); ok {
			return written(v)
		}
	}
	if v, ok := strings.CutPrefix(option, "-v"); ok && strings.HasPrefix(v, "/") {
		return written(v)
	}
	v, ok := strings.CutPrefix(option, "--mount=")
	if !ok {
		return ""
	}
	from := ""
	for _, field := range strings.Split(v, ",") {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "source", "src":
			from = value
		case "readonly", "ro":
			if value != "false" && value != "0" {
				return ""
			}
		}
	}
	return from
}
