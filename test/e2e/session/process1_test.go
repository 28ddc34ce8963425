//go:build e2e

package session

import (
	"fmt"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// Through the direct door the broker has no right to look at the agent, which is the user's, too.
func TestLoginBesideAProcess1OfTheUser(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewUser(t, "entrypoint = /bin/sleep", "cmd = 32400", "dockeropt = --user=%U")
	e2e.SSH(t, u, "id -u; stat -c %u /proc/1").Want(t, fmt.Sprintf("%d\n%d\n", u.UID, u.UID), "", 0)
}
