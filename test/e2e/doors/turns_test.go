//go:build e2e

package doors

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/test/e2e"
)

// crowd is how many logins of one user ask for a container each.
const crowd = 60

func firstLogins() error {
	login, err := wire.Encode(&wire.Login{Version: wire.Version})
	if err != nil {
		return err
	}
	for range crowd {
		fd, err := connectBroker()
		if err != nil {
			return err
		}
		if err := syscall.Sendmsg(fd, login, nil, nil, syscall.MSG_NOSIGNAL); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	return nil
}

// Making containers takes the engine's time. A user who makes many takes turns with the
// others.
func TestManyFirstLoginsOfOneUserDoNotHoldUpAnother(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "its socket")
	attacker := e2e.NewUser(t, "containername = turns-%u-%x", "ephemeral")
	e2e.CanLogIn(t, attacker)
	alone := e2e.SSH(t, e2e.NewUser(t), "true")
	end := attack(t, attacker, "first logins")
	defer end()
	for range 2 {
		beside := e2e.SSH(t, e2e.NewUser(t), "true")
		beside.Want(t, "", "", 0)
		t.Logf("a first login takes %v, and %v beside %d of one user", alone.Took, beside.Took, crowd)
		if beside.Took > 4*alone.Took+2*time.Second {
			t.Errorf("it takes %v instead of %v", beside.Took, alone.Took)
		}
	}
}
