package doctor

import "path/filepath"

var usersChecks = []check{
	{id: "no-users", severity: Warning, why: "README.md, Install", host: noUsers},
	{id: "shell-of-the-host", severity: Warning, why: "README.md, Install", user: shellOfTheHost},
	{id: "shell-runs-nothing", severity: Error, why: hole(4), need: wantSSHD, user: shellRunsNothing},
	{id: "shell-reads-home", severity: Warning, why: hole(4), need: wantSSHD, user: shellReadsHome},
	{id: "user-settings", severity: Error, why: "dockershrc(5)", user: userSettings},
}

func noUsers(h *Host) []fault {
	if len(h.Users) > 0 {
		return nil
	}
	return []fault{{text: "nobody has dockersh as his shell, and no section of the settings or of sshd's names anybody. Say who gets it",
		lines: []string{"dockershctl doctor USER"}}}
}

func shellOfTheHost(h *Host, u *User) *fault {
	if u.led(h) {
		return nil
	}
	return &fault{text: "a section of the settings or of sshd's means this user, but neither passwd nor sshd leads to dockersh: a login gets a shell of the host",
		lines: []string{"chsh -s " + h.Front + " USER"}}
}

// A shell that shuts an account out shuts the forced command out too.
func shellRunsNothing(h *Host, u *User) *fault {
	if !u.forced(h) || !shutsOut(u.Shell) {
		return nil
	}
	return &fault{text: "ForceCommand is run by the shell in passwd, " + u.Shell + ", which runs nothing: every login is refused", lines: []string{"chsh -s " + h.Front + " USER"}}
}

// shutsOut tells the shells of accounts that nobody is to log in to.
func shutsOut(shell string) bool {
	name := filepath.Base(shell)
	return name == "nologin" || name == "false"
}

// Most shells read a file of the home before they run a forced command.
func shellReadsHome(h *Host, u *User) *fault {
	if !u.forced(h) || u.Shell == h.Front || shutsOut(u.Shell) {
		return nil
	}
	if u.homeShared() {
		return &fault{worse: true, text: "ForceCommand is run by the shell in passwd, " + u.Shell + ", which may read ~/.bashrc and the like first, on the host; and the container can write the home",
			lines: []string{"chsh -s " + h.Front + " USER"}}
	}
	return &fault{text: "ForceCommand is run by the shell in passwd, " + u.Shell + ", which may read ~/.bashrc and the like first, on the host",
		lines: []string{"chsh -s " + h.Front + " USER"}}
}

func userSettings(h *Host, u *User) *fault {
	if u.SettingsErr == "" {
		return nil
	}
	return &fault{text: "the settings do not fit this user, and a login is refused: " + u.SettingsErr, lines: []string{"dockershctl explain USER"}}
}
