package launch

import (
	"context"
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// putFiles puts files into a container that was just made, and returns those that are to be
// written once it runs.
func (t *Target) putFiles(ctx context.Context, made *engine.Container, files []engine.File) (late []engine.File, err error) {
	if writesLate(t.plan, made) {
		if len(files) == 0 {
			return nil, nil
		}
		if t.plan.ForeignImage() && bringsVolumes(made, t.plan.Settings.Volume) {
			return nil, usererr.New(usererr.Settings,
				"the image "+t.plan.Settings.ImageName+" has volumes of its own, "+
					"and directories of the host are mounted into your container",
				"set imagename in ~/.dockersh to an image without VOLUME", nil)
		}
		return files, t.addHalfMade(made)
	}
	if err := t.checkRemoteMounts(ctx, made); err != nil {
		return nil, err
	}
	err = t.engine.PutFiles(ctx, made.ID, files)
	reset := slices.ContainsFunc(files, func(f engine.File) bool { return f.Reset })
	if errors.Is(err, engine.ErrMountInMount) && t.plan.Engine().Local() && !reset {
		return files, nil
	}
	return nil, err
}

// checkRemoteMounts returns an error if a link of the image leads a mount of a container
// elsewhere into another one. The engine's copy mounts along that path in its host's file
// system, and processes of other containers with the outer mount may be changing it
// (CVE-2018-15664 is of this class): so that is found out in a container that has no mount.
func (t *Target) checkRemoteMounts(ctx context.Context, made *engine.Container) error {
	if t.plan.Engine().Local() || len(made.Mounts) < 2 {
		return nil
	}
	return t.l.Images.WithProbe(ctx, t.engine, made.ImageID, func(probe string) error {
		return t.engine.CheckMounts(ctx, made.ID, probe)
	})
}

// writesLate reports whether the files of a new container are written once it runs,
// instead of by the engine's copy: the copy mounts all that belongs into the container in
// the host's own file system, along paths that a user may be changing in a home or a
// volume (CVE-2018-15664 is of this class). Process 1 is without them for a moment: only
// where that is dockersh's own, or users have a say, is that so.
func writesLate(plan *policy.Plan, made *engine.Container) bool {
	if !plan.Engine().Local() || os.Geteuid() != 0 {
		return false
	}
	return plan.Settings.Entrypoint == config.Internal || plan.ForeignImage() ||
		slices.ContainsFunc(made.Mounts, isNotOurs)
}

func isNotOurs(m engine.Mount) bool {
	return !engine.Within(m.Target, engine.OwnDir)
}

// bringsVolumes reports whether a container has volumes that its image asks for beside
// directories of the host. The runtime makes the place of each as root, and follows links
// to it: into a home, for one, where users may be swapping them (CVE-2024-45310).
func bringsVolumes(made *engine.Container, asked []string) bool {
	brings, shares := false, false
	for _, m := range made.Mounts {
		switch {
		case !isNotOurs(m):
		case slices.Contains(made.Binds, m.Source):
			shares = true
		case !slices.ContainsFunc(asked, func(v string) bool {
			f := strings.Split(v, ":")
			return len(f) > 1 && path.Clean(f[1]) == path.Clean(m.Target)
		}):
			brings = true
		}
	}
	return brings && shares
}
