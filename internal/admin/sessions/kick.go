package sessions

import (
	"context"
	"fmt"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// Kick is the command kick: it ends sessions.
func Kick(ctx context.Context, env cli.Env, args []string) error {
	var meant cli.Selection
	if _, err := meant.Parse(args, nil, 0); err != nil {
		return err
	}
	if err := cli.RequireRoot("kick"); err != nil {
		return err
	}
	all, err := selectSessions(ctx, env.Marks, &meant)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(env.Out, "no sessions")
		return nil
	}
	for _, entry := range all {
		_ = writeLine(entry, "the administrator ends this session") // others see its end alone
	}
	cli.Progress("ending "+human.Count(len(Shown(all)), "session"))(0, 0)
	ended := hangUp(all)
	cli.ClearProgress()
	bad := false
	for _, d := range ended {
		how := "ended"
		switch {
		case d.err != nil:
			how, bad = d.err.Error(), true
		case d.killed:
			how = "killed"
		}
		fmt.Fprintf(env.Out, "%s  %s  %s: %s\n", d.ID, printable.Text(d.User), d.Container, printable.Text(how))
	}
	if bad {
		return cli.ErrReported
	}
	return nil
}
