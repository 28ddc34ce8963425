package doctor

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/doctor/look"
	"github.com/dockersh/dockersh/internal/admin/doctor/sshdlines"
	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// SSHDConfig is the command sshd-config: it prints the lines that sshd_config needs for
// users, for a group, or for all users who get dockersh.
func SSHDConfig(ctx context.Context, env cli.Env, args []string) error {
	group, names, asked, err := parseSSHDConfig(args)
	if err != nil {
		return err
	}
	file, err := installed.Settings()
	if err != nil {
		return err
	}
	match, user := "", ""
	if group != "" {
		match, err = sshdlines.MatchGroup(group)
	} else {
		if names, err = namesOf(ctx, file, names); err != nil {
			return err
		}
		if len(names) == 1 {
			user = names[0]
		}
		match, err = sshdlines.MatchUsers(names)
	}
	if err != nil {
		return usererr.New(usererr.Settings, printable.Text(err.Error()),
			"put the users into a Unix group, and run: dockershctl sshd-config --group NAME", nil)
	}
	s, err := settings.Written(file, user, group)
	if err != nil {
		return err
	}
	lines := sshdlines.Lines{Match: match, Front: paths.Front(), File: look.SSHDFile(), Accept: s.AcceptEnv,
		Module: asked.module, Agent: s.ForwardAgent, X11: s.ForwardX11}
	if asked.keys {
		if lines.Keys, err = sshdlines.KeysLine(s); err != nil {
			return err
		}
	}
	if group != "" {
		lines.Args = []string{"group=" + group}
	}
	for _, name := range names {
		lines.Args = append(lines.Args, "user="+name)
	}
	_, err = io.WriteString(env.Out, sshdlines.Snippet(lines))
	return err
}

// namesOf returns the names of the users for the Match block: users who exist and whose
// settings do not give them the host.
func namesOf(ctx context.Context, file *config.File, asked []string) ([]string, error) {
	db := installed.Accounts(0)
	users, err := look.Users(ctx, db, file, asked)
	if err != nil {
		return nil, cli.WithUserHint(err)
	}
	var names []string
	for _, u := range users {
		s, err := settings.For(file, settings.Login{User: u,
			MemberOf: func(groups []string) ([]string, error) { return db.MemberOf(ctx, u, groups) }})
		// Where the settings do not fit the user, dockersh refuses the login with the reason.
		if err != nil || s.Settings.HostShell == "" || slices.Contains(asked, u.Name) {
			names = append(names, u.Name)
		}
	}
	if len(names) == 0 {
		return nil, usererr.New(usererr.Settings, "no user has dockersh as the shell, and the settings name none",
			"name them: dockershctl sshd-config USER, or dockershctl sshd-config --group NAME", nil)
	}
	return names, nil
}

// asked are the options of sshd-config.
type asked struct{ module, keys bool }

func parseSSHDConfig(args []string) (group string, users []string, a asked, err error) {
	users, err = cli.Options{"--group": &group, "--pam": &a.module, "--keys": &a.keys}.Parse(args, 0, -1)
	if err == nil && group != "" && len(users) > 0 {
		err = fmt.Errorf("%w: give either users or a group", cli.ErrMisuse)
	}
	return group, users, a, err
}
