package explain

import (
	"fmt"
	"io"

	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// What a connection of ssh joins, where pam_dockersh(8) announces it.
const (
	joinsContainer = "container"
	joinsHost      = "host"
	joinsNothing   = "nothing"
)

// decideConnection decides what a connection of ssh joins, which the broker is asked for
// before it reads ~/.dockersh.
func decideConnection(file *config.File, login settings.Login, groups []uint32) (*policy.Connection, error) {
	s, err := settings.For(file, login)
	if err != nil {
		return nil, err
	}
	return policy.DecideConnection(login.User, groups, s.Settings, s.Written)
}

func (x *explanation) addConnection(c *policy.Connection, err error) {
	switch {
	case err != nil:
		x.Connection, x.ConnectionReason = joinsNothing, printable.Text(err.Error())
	case c.OnHost:
		x.Connection = joinsHost
	default:
		x.Connection = joinsContainer
	}
}

// printConnection prints what a connection of ssh joins.
func (x *explanation) printConnection(out io.Writer) {
	switch x.Connection {
	case joinsHost:
		fmt.Fprintln(out, "A connection of ssh is in the network of the host.")
	case joinsContainer:
		fmt.Fprintf(out, "With pam_dockersh(8) a connection of ssh is in the network of %s.\n", x.Container)
	case joinsNothing:
		fmt.Fprintf(out, "With pam_dockersh(8) a connection of ssh is in an empty network: %s.\n", x.ConnectionReason)
	}
}
