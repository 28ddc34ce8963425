package containerfiles

import (
	"context"
	"errors"
	"os"
	"slices"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/images"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// AreLate reports whether the files of a new container are written once it runs,
// instead of by the engine's copy: the copy mounts all that belongs into the container in
// the host's own file system, along paths that a user may be changing in a home or a
// volume (CVE-2018-15664 is of this class). Process 1 is without them for a moment: only
// where that is dockersh's own, or users have a say, is that so.
func AreLate(plan *policy.Plan, made *engine.Container) bool {
	if !plan.Engine().Local() || os.Geteuid() != 0 {
		return false
	}
	return plan.Settings.Entrypoint == config.Internal || plan.ForeignImage() ||
		slices.ContainsFunc(made.Mounts, func(m engine.Mount) bool { return !engine.Within(m.Target, engine.OwnDir) })
}

// Copy has the engine copy files into a container that was just made. Late reports that it did
// not, and that they are to be written once the container runs.
func Copy(ctx context.Context, e engine.Engine, i *images.Images, plan *policy.Plan, made *engine.Container,
	files []engine.File) (late bool, err error) {
	local := plan.Engine().Local()
	if !local && !plan.Engine().IsCluster() { // nothing of a user's is mounted in a pod but the home
		if err := checkRemoteMounts(ctx, e, i, made); err != nil {
			return false, err
		}
	}
	err = e.PutFiles(ctx, made.ID, files)
	reset := slices.ContainsFunc(files, func(f engine.File) bool { return f.Reset })
	if errors.Is(err, engine.ErrMountInMount) && local && !reset {
		return true, nil
	}
	return false, err
}

// checkRemoteMounts returns an error if a link of the image leads a mount of a container
// elsewhere into another one. The engine's copy mounts along that path in its host's file
// system, and processes of other containers with the outer mount may be changing it
// (CVE-2018-15664 is of this class): so that is found out in a container that has no mount.
func checkRemoteMounts(ctx context.Context, e engine.Engine, i *images.Images, made *engine.Container) error {
	if len(made.Mounts) < 2 {
		return nil
	}
	return i.WithProbe(ctx, e, made.ImageID, func(probe string) error { return e.CheckMounts(ctx, made.ID, probe) })
}
