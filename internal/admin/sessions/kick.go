package sessions

import (
	"context"
	"fmt"
	"io"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// kick ends sessions.
func Kick(ctx context.Context, out io.Writer, args []string) error {
	var meant cli.Selection
	if _, err := meant.Parse(args, nil, 0); err != nil {
		return err
	}
	if err := cli.RequireRoot("kick"); err != nil {
		return err
	}
	all, err := selected(ctx, &meant)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(out, "no sessions")
		return nil
	}
	for _, r := range all {
		_ = tell(r, "the administrator ends this session") // whom it does not reach sees the end
	}
	cli.Progress("ending "+human.Count(len(all), "session"))(0, 0)
	ended := hangUp(all)
	cli.Progress("")(0, 0)
	bad := false
	for _, d := range ended {
		how := "ended"
		switch {
		case d.err != nil:
			how, bad = d.err.Error(), true
		case d.killed:
			how = "killed"
		}
		fmt.Fprintf(out, "%s  %s  %s: %s\n", d.ID, printable.Text(d.User), d.Container, printable.Text(how))
	}
	if bad {
		return cli.ErrReported
	}
	return nil
}
