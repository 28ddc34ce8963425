package bringup

import (
	"context"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// addUser makes a further user known in a container that already runs. A process inside
// does it, confined like everything there: the engine's copy into a running container
// follows paths that the container may be changing.
func (a *attempt) addUser(ctx context.Context, id string, user account.Identity) {
	passwd, group, err := account.Entries(user)
	if err == nil {
		err = a.engine.Exec(ctx, id, 0, 0, []string{policy.InitInside, "adduser", passwd, group, user.Home})
	}
	if err != nil {
		// Without a name the user still has the right numbers: worth a log line, not a
		// refusal.
		a.b.Log.Warn("cannot add the user inside", "container", a.plan.Container, "user", user.Name, "cause", err)
	}
}
