package explain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
	"github.com/dockersh/dockersh/internal/rules/syntax"
)

// tryLimit is how long one container may take to be made, started and removed.
const tryLimit = 2 * time.Minute

// tryEngines makes and starts a container by the settings of each section, in which nothing of
// the host or of a user is mounted, and removes it again. The error is of type syntax.Errors.
func tryEngines(ctx context.Context, env cli.Env, file *config.File) error {
	var errs syntax.Errors
	var tried []string
	try := func(user string, groups []string) {
		plan, written := trialPlan(file, user, groups)
		if plan == nil {
			return
		}
		e, err := env.Engines.Get(plan.Engine())
		if err != nil {
			errs = append(errs, &syntax.Error{Origin: written.Origin("dockersocket"), Text: cli.OneLine(err)})
			return
		}
		spec := trialSpec(plan)
		command := strings.Join(e.Command(spec), "\x00")
		if slices.Contains(tried, command) {
			return
		}
		tried = append(tried, command)
		err = tryContainer(ctx, e, spec, plan.Engine().Local())
		if errors.Is(err, engine.ErrNoImage) {
			fmt.Fprintf(os.Stderr, "dockershctl: warning: the image %s is not here, and was not tried\n", printable.Text(spec.Image))
			return
		}
		if err != nil {
			errs = append(errs, &syntax.Error{Origin: originOf(written, err), Text: cli.OneLine(err)})
		}
	}
	try("", nil)
	for _, group := range file.Groups() {
		try("", []string{group})
	}
	for _, user := range file.Users() {
		try(user, nil)
	}
	return errs.Err()
}

// trialPlan returns what a user would get who is in these groups alone; nil where that is not a
// container, or cannot be known without the user.
func trialPlan(file *config.File, user string, groups []string) (*policy.Plan, *config.Settings) {
	u := account.User{Name: user, UID: 65534, GID: 65534, Home: "/home/check", Shell: "/bin/sh"}
	if u.Name == "" {
		u.Name = "check"
	}
	s, err := settings.For(file, settings.Login{User: u, MemberOf: func([]string) ([]string, error) { return groups, nil }})
	if err != nil {
		return nil, nil
	}
	without := *s.Settings
	without.MountHome, without.MountTmp, without.MountDockerSocket, without.Volume = false, false, false, nil
	plan, err := policy.Decide(u, &without, policy.Request{Admins: &without})
	if err != nil || plan.HostShell != "" || plan.MayAdopt() {
		return nil, nil
	}
	return plan, s.Written
}

func trialSpec(plan *policy.Plan) engine.Spec {
	spec := plan.Spec(passwd.Identity{Name: "check", UID: 65534, GID: 65534}, "", policy.HostPaths{Helpers: paths.Helpers()})
	spec.Name = "dockersh-check-" + strconv.Itoa(os.Getpid())
	spec.Labels = policy.Owner{Identity: policy.Probe}.Labels()
	spec.Mounts = slices.DeleteFunc(spec.Mounts, func(m engine.Mount) bool { return m.Target != policy.HelpersInside })
	if spec.Entrypoint == policy.InitInside {
		spec.Cmd = []string{"pause"}
	}
	return spec
}

// tryContainer makes and starts a container, and removes it. On another host it is not
// started: our program is not in it.
func tryContainer(ctx context.Context, e engine.Engine, spec engine.Spec, local bool) error {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	id, err := e.ImageID(ctx, spec.Image)
	if err != nil {
		return err
	}
	spec.ImageID = id
	made, err := e.Create(ctx, spec)
	if err != nil {
		return err
	}
	if local {
		err = e.Start(ctx, made.ID)
	}
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), tryLimit)
	defer cancel()
	return errors.Join(err, e.Remove(ctx, made.ID))
}

// originOf returns where the setting is written that an engine's error is about.
func originOf(s *config.Settings, err error) syntax.Origin {
	text := strings.ToLower(err.Error())
	for _, c := range []struct {
		key   string
		words []string
	}{
		{"network", []string{"network"}}, {"memory", []string{"memory"}}, {"cpus", []string{"cpu"}}, {"pidslimit", []string{"pids"}},
		{"capadd", []string{"capability"}}, {"hostname", []string{"hostname"}}, {"entrypoint", []string{"exec", "executable"}},
	} {
		if s.IsSet(c.key) && slices.ContainsFunc(c.words, func(w string) bool { return strings.Contains(text, w) }) {
			return s.Origin(c.key)
		}
	}
	if s.IsSet("dockeropt") {
		return s.Origin("dockeropt")
	}
	return s.Origin("imagename")
}
