package broker

import (
	"context"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// introduce makes a further user known in a container that already runs. It is
// done by a process inside, confined as everything there: the engine's copy into
// a running container follows paths that the container may be changing.
func (c *cold) introduce(ctx context.Context, id string, who account.Identity) {
	passwd, group, err := account.Entries(who)
	if err == nil {
		err = c.engine.Exec(ctx, id, 0, 0, []string{policy.InitInside, "introduce", passwd, group, who.Home})
	}
	if err != nil {
		// Without a name he still has his numbers: worth a line, not a refusal.
		c.Log.Warn("cannot introduce the user", "container", c.plan.Container, "user", who.Name, "cause", err)
	}
}
