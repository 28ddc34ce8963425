package containerfiles

import (
	"context"
	"errors"
	"log/slog"
	"strconv"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// AddUser adds the user to passwd and group of a container that was made for another one. A
// user who cannot be added still has the right numbers: worth a log line, not a refusal.
func (w Writer) AddUser() { w.addUser(nil) }

// addUser is AddUser; follows is the container if it took another one's place.
func (w Writer) addUser(follows *engine.Container) {
	entry, group, err := passwd.Entries(w.User)
	if err == nil {
		err = w.seen()
	}
	if err == nil {
		u := w.homeOf(w.User.Home, w.User.UID, w.User.GID)
		u.Passwd, u.Group = entry, group
		u.Volume, u.WasMounted = follows != nil && isVolume(w.User.Home, follows), follows != nil
		err = w.Root.AddUser(u)
	}
	for _, f := range sudoers(w.Plan, w.User) {
		if err == nil {
			err = w.replace(f.Path, f.Data)
		}
	}
	w.logNotAdded(err)
}

func (w Writer) logNotAdded(err error) { logNotAdded(w.Log, w.Plan.Container, w.User, err) }

func logNotAdded(log *slog.Logger, container string, user passwd.Identity, err error) {
	if err != nil {
		log.Warn("cannot add the user inside", "container", container, "user", user.Name, "cause", err)
	}
}

// AddUserByExec is AddUser for a container on another host, where a program inside must do it,
// as root.
func AddUserByExec(ctx context.Context, e engine.Engine, found *engine.Container, user passwd.Identity, log *slog.Logger) {
	logNotAdded(log, found.Name, user, addUserByExec(ctx, e, found, user))
}

// addUserByExec runs the program only where it is certain to be the one that was put there:
// nothing is mounted that could cover it, and the image is not a user's choice.
func addUserByExec(ctx context.Context, e engine.Engine, found *engine.Container, user passwd.Identity) error {
	administrators := found.Labels[engine.LabelAdmins]
	if len(found.Mounts) > 0 || administrators == "" || administrators != found.Labels[engine.LabelSettings] {
		return errors.New("its image or its mounts could have replaced " + policy.InitInside)
	}
	entry, group, err := passwd.Entries(user)
	if err != nil {
		return err
	}
	argv := []string{policy.InitInside, "adduser", entry, group, user.Home}
	code, err := engine.Run(ctx, e, found.ID, engine.Program{Argv: argv})
	if err == nil && code != 0 {
		err = errors.New("dockersh-init adduser ended with exit code " + strconv.Itoa(code))
	}
	return err
}
