package containers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/explain"
	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/bringup"
	"github.com/dockersh/dockersh/internal/root/images"
	"github.com/dockersh/dockersh/internal/root/launch"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// seats makes and starts the containers of users by the steps of a login, without one.
type seats struct {
	users   *account.DB
	file    *config.File
	bringup *bringup.Bringup
}

func newSeats(engines *engine.Clients) (*seats, error) {
	file, err := installed.Settings()
	if err != nil {
		return nil, err
	}
	run := state.RunDir(paths.Run)
	if err := run.Make(); err != nil {
		return nil, err
	}
	s := &seats{users: installed.Accounts(time.Minute), file: file}
	log := slog.New(slog.DiscardHandler) // what goes wrong is shown
	s.bringup = bringup.New(bringup.Config{
		Config: launch.Config{
			State: run, Inventory: state.Inventory(paths.Inventory()), Images: images.New(run), Users: s.users,
			Log: log, Helpers: paths.Helpers(), ShareSlots: true,
		},
		Locks: &state.Locks{Dir: run, OnError: func(string, error) {}}, Engines: engines, AdminSettings: s.byAdmin,
	})
	return s, nil
}

// ofGroup returns the users of a group.
func (s *seats) ofGroup(ctx context.Context, group string) ([]account.User, error) {
	all, err := s.users.All(ctx)
	if err != nil {
		return nil, err
	}
	names, err := s.users.Members(ctx, group, all)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, cli.Unknown("no group "+printable.Text(group)+" with users in it", group, nil, "getent group")
	}
	var users []account.User
	for _, name := range names {
		u, err := s.users.ByName(ctx, name)
		if err != nil && !errors.Is(err, account.ErrUnknown) {
			return nil, err
		}
		if err == nil {
			users = append(users, u)
		}
	}
	return users, nil
}

// settingsOf returns the settings of a user's logins.
func (s *seats) settingsOf(ctx context.Context, u account.User, userFile func(dir string) ([]byte, error)) (*settings.Effective, error) {
	return settings.For(s.file, settings.Login{
		User: u, UserFile: userFile,
		MemberOf: func(groups []string) ([]string, error) { return s.users.MemberOf(ctx, u, groups) },
	})
}

// byAdmin returns the administrator's settings for a user; nil if they cannot be known.
func (s *seats) byAdmin(ctx context.Context, uid uint32) *config.Settings {
	u, err := s.users.ByUID(ctx, uid)
	if err != nil {
		return nil
	}
	effective, err := s.settingsOf(ctx, u, nil)
	if err != nil {
		return nil
	}
	return effective.Admins
}

// plan returns what a login of the user would get.
func (s *seats) plan(ctx context.Context, u account.User) (*policy.Plan, error) {
	effective, err := s.settingsOf(ctx, u, func(dir string) ([]byte, error) { return explain.ReadUserFile(ctx, u, dir) })
	if err != nil {
		return nil, err
	}
	groups, err := s.users.Groups(ctx, u)
	if err != nil {
		return nil, settings.AccountError(err)
	}
	r := policy.Request{Admins: effective.Admins, Groups: account.Supplementary(groups, u.GID)}
	plan, err := policy.Decide(u, effective.Settings, r)
	if err != nil && effective.IgnoreUserFile(err) {
		plan, err = policy.Decide(u, effective.Settings, r)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case plan.HostShell != "":
		return nil, usererr.New(usererr.Settings, "the settings leave the user on the host (hostshell)", "", nil)
	case plan.Settings.Ephemeral:
		return nil, usererr.New(usererr.Settings, "the container is ephemeral, and is made at a login", "", nil)
	}
	for _, letter := range []byte("ikx") {
		if key := effective.Written.UsedBy(letter); key != "" {
			return nil, usererr.New(usererr.Settings, "which container it is depends on the login: %"+string(letter)+" in "+key, "", nil)
		}
	}
	return plan, nil
}

// start makes and starts the containers of users, some at a time, and prints a line for each. It
// returns their names.
func (s *seats) start(ctx context.Context, env cli.Env, users []account.User) (started []string, err error) {
	show := cli.Progress("starting")
	show(0, len(users))
	var mu sync.Mutex
	finished, failed := 0, false
	cli.ForEach(users, engine.AtOnce, func(_ int, u account.User) {
		plan, err := s.plan(ctx, u)
		var cold bringup.ColdReason
		if err == nil {
			cold, err = s.bringup.Prepare(ctx, plan)
		}
		mu.Lock()
		defer mu.Unlock()
		finished++
		cli.ClearProgress()
		name := u.Name
		if plan != nil {
			name = plan.Container
			started = append(started, name)
		}
		fmt.Fprintf(env.Out, "%s: %s\n", printable.Text(name), printable.Text(outcome(cold, err)))
		failed = failed || err != nil
		show(finished, len(users))
	})
	if failed {
		return started, cli.ErrReported
	}
	return started, nil
}

// outcome names what was done.
func outcome(cold bringup.ColdReason, err error) string {
	switch {
	case err != nil:
		return "not done: " + cli.OneLine(err)
	case cold == bringup.NotCreated, cold == bringup.Vanished, cold == bringup.NewSettings, cold == bringup.NewImage:
		return "made and started"
	case cold == bringup.NotRunning, cold == bringup.NewSource:
		return "started"
	}
	return "running already"
}

// startSeats is the command start for a group, or for a user, whose other containers are
// started too.
func startSeats(ctx context.Context, env cli.Env, user, group string) error {
	if err := cli.RequireRoot("start"); err != nil {
		return err
	}
	s, err := newSeats(env.Engines)
	if err != nil {
		return err
	}
	if group != "" {
		users, err := s.ofGroup(ctx, group)
		if err != nil {
			return err
		}
		_, err = s.start(ctx, env, users)
		return err
	}
	u, err := s.users.ByName(ctx, user)
	if err != nil {
		return cli.WithUserHint(err)
	}
	started, err := s.start(ctx, env, []account.User{u})
	others, listErr := selectContainers(ctx, env.Engines, &cli.Selection{User: user})
	others = slices.DeleteFunc(others, func(c Container) bool { return slices.Contains(started, c.Name) })
	if len(others) == 0 {
		return err
	}
	return cli.Join(err, listErr, startOperation.doAll(ctx, env.Out, others))
}
