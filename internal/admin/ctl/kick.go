package ctl

import (
	"context"
	"fmt"
	"io"

	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// kick ends sessions.
func kick(ctx context.Context, out io.Writer, args []string) error {
	var meant selection
	if _, err := meant.parse(args, nil, 0); err != nil {
		return err
	}
	if err := mustBeRoot("kick"); err != nil {
		return err
	}
	all, err := meant.records(ctx, records())
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
	progress("ending "+human.Count(len(all), "session"))(0, 0)
	ended := hangUp(all)
	progress("")(0, 0)
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
		return errFound
	}
	return nil
}
