package checks

import "github.com/dockersh/dockersh/internal/admin/doctor/facts"

var usersChecks = []check{
	{id: "no-users", severity: Warning, why: "docs/install.md, Give dockersh to users", host: noUsers},
	{id: "shell-of-the-host", severity: Warning, why: "docs/install.md, Give dockersh to users", user: shellOfTheHost},
	{id: "shell-runs-nothing", severity: Error, why: hole(4), need: wantSSHD, user: shellRunsNothing},
	{id: "shell-reads-home", severity: Warning, why: hole(4), need: wantSSHD, user: shellReadsHome},
	{id: "user-settings", severity: Error, why: "dockershrc(5)", user: userSettings},
	{id: "name-service", severity: Warning, why: "dockershrc(5), Groups", host: nameService},
}

func noUsers(h *facts.Host) []fault {
	if len(h.Users) > 0 {
		return nil
	}
	return []fault{{text: "no user has dockersh as the shell, and neither the settings nor a Match block of sshd names one. Name the users",
		lines: []string{"dockershctl doctor USER"}}}
}

func shellOfTheHost(h *facts.Host, u *facts.User) *fault {
	if u.Led(h) {
		return nil
	}
	return &fault{text: "the settings or a Match block of sshd name this user, but neither passwd nor sshd leads to dockersh: " +
		"a login gets a shell of the host",
		lines: []string{"chsh -s " + h.Front + " USER"}}
}

// shellRunsNothing finds nologin: it does not run a forced command either.
func shellRunsNothing(h *facts.Host, u *facts.User) *fault {
	if !u.Forced(h) || !facts.IsNologin(u.Shell) {
		return nil
	}
	return &fault{text: "ForceCommand is run by the shell in passwd, " + u.Shell + ", which runs nothing: every login is refused",
		lines: []string{"chsh -s " + h.Front + " USER"}}
}

// shellReadsHome finds shells of the host: most read a file in the home before they run a
// forced command.
func shellReadsHome(h *facts.Host, u *facts.User) *fault {
	if !u.Forced(h) || u.Shell == h.Front || facts.IsNologin(u.Shell) {
		return nil
	}
	if homeWritten(u) {
		return &fault{worse: true, text: "ForceCommand is run by the shell in passwd, " + u.Shell +
			", which may first read ~/.bashrc or its like, on the host; and the container can write the home",
			lines: []string{"chsh -s " + h.Front + " USER"}}
	}
	return &fault{text: "ForceCommand is run by the shell in passwd, " + u.Shell +
		", which may first read ~/.bashrc or its like, on the host",
		lines: []string{"chsh -s " + h.Front + " USER"}}
}

func userSettings(h *facts.Host, u *facts.User) *fault {
	if u.SettingsErr == "" {
		return nil
	}
	return &fault{text: "the settings do not fit this user, whose logins are refused: " + u.SettingsErr,
		lines: []string{"dockershctl explain USER"}}
}

// nameService finds services that do not answer. The C library does not report them: users
// whom only such a service puts into a group lose what the group's section has.
func nameService(h *facts.Host) (found []fault) {
	for _, s := range h.Silent {
		f := fault{worse: s.Answered, file: "/etc/nsswitch.conf", lines: []string{s.Line}}
		if s.Answered {
			f.text = "the name service " + s.Name + " answered before, and does not now: " +
				"logins of users whose groups are not certain are refused. Start it or, if it is not in use any more, write"
		} else {
			f.text = "the name service " + s.Name + " does not answer, and never did: " +
				"settings of groups do not reach users whom only this service puts into them. Start it or, if it is not in use, write"
		}
		found = append(found, f)
	}
	return found
}
