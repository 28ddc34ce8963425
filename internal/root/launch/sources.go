package launch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/mounts"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// sourceLimit is how long a look at the directories of the host may take that a container
// mounts: the server of a network file system may not answer.
const sourceLimit = 5 * time.Second

// checkSources refuses sources of mounts that a user could swap, and those that do not
// answer: the engine would wait for them, with a slot that others need. A container that
// exists mounts what it was made with, whatever the settings are by now.
func (t *Target) checkSources(ctx context.Context, found *engine.Container) error {
	if !t.plan.Engine().Local() {
		return nil
	}
	if found != nil {
		if err := mounts.CheckHelpers(found, t.l.Helpers); err != nil {
			return err
		}
	}
	result := make(chan error, 1)
	err := t.l.hostReads.Do(ctx, t.plan.User.UID, sourceLimit, func() {
		if err := makeHome(t.plan, found); err != nil {
			result <- err
			return
		}
		result <- checkMountSources(sourcesToCheck(t.plan.Settings, found, t.dir))
	})
	if errors.Is(err, wait.ErrGivenUp) {
		return usererr.New(usererr.Unavailable, "a directory of the host that belongs into your container does not answer",
			"try again, or ask the administrator to run: dockershctl explain "+t.plan.User.Name+
				" (and to look at the file systems of mounthome and volume)", err)
	}
	if err != nil {
		return err
	}
	return <-result
}

// sourcesToCheck returns what is mounted from the host: the home, and volumes that name a
// directory; and what a container that exists mounts besides. Options of dockeropt are the
// administrator's own words to the engine.
func sourcesToCheck(s *config.Settings, found *engine.Container, dir state.ContainerDir) (sources []string) {
	if s.MountHome {
		sources = append(sources, s.MountHomeFrom)
	}
	for _, v := range s.Volume {
		if source, _, ok := strings.Cut(v, ":"); ok && strings.HasPrefix(source, "/") {
			sources = append(sources, source)
		}
	}
	if found == nil {
		return sources
	}
	options := strings.Join(slices.Concat(s.DockerOpt...), "\n")
	for _, source := range found.Binds {
		switch {
		case source == dir.Mounted(), source == dir.Home(), source == "/tmp" && s.MountTmp, source == s.DockerSocket && s.MountDockerSocket:
		case strings.Contains(options, source), slices.Contains(sources, source):
		default:
			sources = append(sources, source)
		}
	}
	return sources
}

func checkMountSources(sources []string) error {
	for _, source := range sources {
		if err := mounts.CheckMountSource(source); err != nil {
			return err
		}
	}
	return nil
}

// makeHome makes the home that is to be mounted, where the administrator wants it and there
// is none. Where a user chose which directory is mounted, none is made: root would make them
// directories in any place of the host.
func makeHome(plan *policy.Plan, found *engine.Container) error {
	s := plan.Settings
	from := s.MountHomeFrom
	switch {
	case s.MakeHome == "", !s.MountHome, s.FromUser("mounthomefrom"), os.Geteuid() != 0:
		return nil
	case found != nil && !slices.Contains(found.Binds, from):
		return nil // it mounts what it was made with
	}
	if _, err := os.Lstat(from); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	root, err := rootfs.Open("/", 0)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.NewHome(from, s.MakeHome, plan.User.UID, plan.User.GID); err != nil {
		return usererr.New(usererr.Settings, "your home "+from+" cannot be made: "+err.Error(),
			"ask the administrator to run: namei -l "+from, err)
	}
	return nil
}

// replacedLimit is how long a login waits for the directories of its container, which it
// can do without: the server of a network file system may not answer.
const replacedLimit = time.Second

// FindReplaced returns a directory of the host that is mounted into the container of a plan,
// and is another one by now on the host; empty if there is none, or that cannot be known.
func (l *Launcher) FindReplaced(plan *policy.Plan) string {
	if !plan.Engine().Local() {
		return ""
	}
	dir := l.State.Container(plan.Container)
	if !dir.LastStart().HasSources() {
		return ""
	}
	found := make(chan string, 1)
	err := l.hostReads.Do(context.Background(), plan.User.UID, replacedLimit, func() { found <- lifecycle.FindReplaced(dir) })
	if err != nil {
		return ""
	}
	return <-found
}
