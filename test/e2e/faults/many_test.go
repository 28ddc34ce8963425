//go:build e2e

package faults

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestTwoHundredLoginsOfOneUserAtOnce(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.Logins(t, 200, func(int) *e2e.Account { return u })
	u.Container(t)
	checkNoProcesses(t, u)
}

func TestOneHundredFirstLoginsOfOneHundredUsersAtOnce(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "the brokers of a hundred users cannot wait for each other, and overload the engine")
	users := make([]*e2e.Account, 100)
	for i := range users {
		users[i] = e2e.NewUser(t)
	}
	e2e.Logins(t, len(users), func(i int) *e2e.Account { return users[i] })
	for _, u := range users {
		u.Container(t)
	}
	checkNoProcesses(t, users...)
}

// checkNoProcesses checks that no process of the sessions is left, on the host or inside:
// a container has only its process 1.
func checkNoProcesses(t *testing.T, users ...*e2e.Account) {
	t.Helper()
	e2e.Eventually(t, "no front is left", func() bool {
		return len(e2e.PidsOf(func(_ int, args string) bool {
			return strings.Contains(args, e2e.Front) || strings.HasPrefix(args, "-dockersh")
		})) == 0
	})
	for _, u := range users {
		id := u.Container(t)
		e2e.Eventually(t, u.Name+"'s container has only process 1", func() bool {
			return len(strings.Split(e2e.OnHost(t, "docker", "top", id, "-eo", "pid,args"), "\n")) == 2
		})
	}
}
