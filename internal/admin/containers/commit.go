package containers

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/root/rundir"
)

// commitLimit is for a large container on a slow disk.
const commitLimit = 30 * time.Minute

// commit makes an image of a container.
func Commit(ctx context.Context, out io.Writer, args []string) error {
	words, err := cli.Options{}.Parse(args, 2, 2)
	if err != nil {
		return err
	}
	if err := cli.RequireRoot("commit"); err != nil {
		return err
	}
	meant := cli.Selection{Names: words[:1]}
	all, err := selected(ctx, &meant)
	if err != nil {
		return err
	}
	if len(all) > 1 {
		return fmt.Errorf("%d engines have a container %s", len(all), all[0].Name)
	}
	return operation{name: "commit", doing: "writing the image", limit: commitLimit, do: func(ctx context.Context, b Container, d rundir.Dir) (done string, err error) {
		found, err := b.again(ctx)
		if err != nil {
			return "", err
		}
		// Logins wait, rather than meet an agent that is frozen meanwhile.
		err = shut(d, func() (err error) { done, err = b.on.Commit(ctx, found.ID, words[1]); return err })
		return words[1] + " is " + done, err
	}}.over(ctx, out, all)
}
