package ctl

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/dockersh/dockersh/internal/root/rundir"
)

// commitLimit is for a large container on a slow disk.
const commitLimit = 30 * time.Minute

// commit makes an image of a container.
func commit(ctx context.Context, out io.Writer, args []string) error {
	words, err := options{}.parse(args, 2, 2)
	if err != nil {
		return err
	}
	if err := mustBeRoot("commit"); err != nil {
		return err
	}
	meant := selection{names: words[:1]}
	all, err := meant.boxes(ctx)
	if err != nil {
		return err
	}
	if len(all) > 1 {
		return fmt.Errorf("%d engines have a container %s", len(all), all[0].Name)
	}
	return act{name: "commit", doing: "writing the image", limit: commitLimit, do: func(ctx context.Context, b box, d rundir.Dir) (done string, err error) {
		found, err := b.again(ctx)
		if err != nil {
			return "", err
		}
		// Logins wait, rather than meet an agent that is frozen meanwhile.
		err = shut(d, func() (err error) { done, err = b.on.Commit(ctx, found.ID, words[1]); return err })
		return words[1] + " is " + done, err
	}}.over(ctx, out, all)
}
