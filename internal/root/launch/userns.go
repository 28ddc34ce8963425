package launch

import (
	"context"
	"errors"
	"os"
	"strconv"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// hostPaths returns what of the host goes into a new container. Where the engine numbers
// the users of containers differently, the home is idmapped.
func (t *Target) hostPaths(ctx context.Context, user passwd.Identity) (policy.HostPaths, error) {
	at := policy.HostPaths{Protocol: wire.AgentVersion, Helpers: t.l.Helpers, Run: t.dir.Mounted(), Mark: t.dir.Mark()}
	if t.plan.Engine().IsCluster() {
		at.Mark = t.dir.SharedMark()
	}
	at.Hostname, _ = os.Hostname() // without it the engine chooses one
	if !t.plan.Settings.MountHome || !t.plan.Engine().Local() {
		return at, nil // nothing of this host goes elsewhere
	}
	remap, err := t.engine.Remap(ctx)
	if err != nil || !remap.On {
		return at, err
	}
	groups, err := t.l.Users.Groups(ctx, t.plan.User)
	if err != nil {
		return at, settings.AccountError(err)
	}
	at.Home, at.Owners = t.dir.Home(), t.plan.Home(user, groups)
	// The engine wants to see the directory already when it makes the container.
	return at, os.MkdirAll(at.Home, 0o755)
}

// explainFailure looks, when a container could not be made, whether the engine is one without
// root's rights, which sees nothing of what root would mount; and whether its user namespace
// is too small for the container user: directory services have large numbers. The engine's own
// error does not name it.
func explainFailure(ctx context.Context, e engine.Engine, user passwd.Identity, err error) error {
	if errors.Is(err, engine.ErrDown) || errors.Is(err, engine.ErrNameTaken) || errors.Is(err, ErrEnded) {
		return err
	}
	if about, aboutErr := e.About(ctx); aboutErr == nil && about.RootlessUID != 0 && os.Geteuid() == 0 {
		uid := strconv.FormatUint(uint64(about.RootlessUID), 10)
		return usererr.New(usererr.Settings, "the container engine is rootless (it runs as uid "+uid+"), and dockersh runs as root",
			usererr.RunDoctor, err)
	}
	if remap, remapErr := e.Remap(ctx); remapErr == nil && remap.On {
		if tooSmall := policy.AdmitNumbers(remap, user); tooSmall != nil {
			return tooSmall
		}
	}
	return err
}

// checkHome refuses a container, just started, whose mounted home does not belong to its
// user inside.
func checkHome(plan *policy.Plan, uid uint32, m idmap.Map, home lifecycle.MountedHome) error {
	switch {
	case home.From != "":
		if home.Fits(m) {
			return nil
		}
	case m.Same, !plan.Settings.MountHome, uid == plan.User.UID:
		return nil
	}
	return usererr.New(usererr.Container, "the container's user numbers are not those that its home was mounted for",
		"ask the administrator to run: dockershctl explain "+plan.User.Name+
			" (the options of dockeropt, or of the engine's userns-remap, do not fit mounthome)", nil)
}
