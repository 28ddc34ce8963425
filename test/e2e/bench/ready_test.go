//go:build e2e && bench

package bench

import (
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// readySeatsRow measures the first logins of a class whose seats were made before the doors
// opened, as docs/course.md says: an account for each, all over ssh within the same second. The
// other figure is as many connections to a bash.
func readySeatsRow(t *testing.T) row {
	host := e2e.NewAccount(t, "/bin/bash")
	class := make([]*e2e.Account, seats)
	for i := range class {
		class[i] = e2e.NewUser(t, "containername = %u_seat")
		class[i].Join(t, "dshseats")
	}
	over := func(account func(i int) *e2e.Account) func(i int) *exec.Cmd {
		return func(i int) *exec.Cmd {
			argv := e2e.SSHArgv(account(i), "127.0.0.1", "echo up; cat")
			return exec.Command(argv[0], argv[1:]...)
		}
	}
	var names []string
	for _, u := range class {
		names = append(names, u.Name+"_seat")
	}
	comeIn := func() time.Duration {
		e2e.OnHost(t, e2e.CtlPath, "start", "--group", "dshseats")
		took := together(t, over(func(i int) *e2e.Account { return class[i] }))
		e2e.OnHost(t, append([]string{e2e.CtlPath, "rm", "--yes", "--force"}, names...)...)
		return took
	}
	m := turns(5, never, comeIn, func() time.Duration { return together(t, over(func(int) *e2e.Account { return host })) })
	return costRow(strconv.Itoa(seats)+" logins at once over ssh into seats made beforehand vs ssh to bash", m[0], m[1], 1.3)
}

// TestSeatsBudget measures these rows alone: SEATS=1 go test -run TestSeatsBudget.
func TestSeatsBudget(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	measureAlone(t, "SEATS", func() []row { return append(seatsRows(t), readySeatsRow(t)) })
}
