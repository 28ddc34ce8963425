package containers

import (
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/state"
)

// isEntered reports whether logins enter this container and not one of its name on another
// engine: all of one name share a directory, and one of them has it. host is where the
// directory's is; empty where that is not known.
func (c Container) isEntered(d state.ContainerDir, inventory state.Inventory) (entered bool, host string) {
	if !c.twin {
		return true, c.address.Host
	}
	if made, err := d.Made(); err == nil {
		host = made.Engine
	}
	if expected, ok := inventory.Get(c.Name); ok && host == "" { // the host was restarted
		host = expected.Engine
	}
	return host == c.address.Host, host
}

// isTheOne is isEntered with the host's inventory.
func (c Container) isTheOne(d state.ContainerDir) bool {
	entered, _ := c.isEntered(d, state.Inventory(paths.Inventory()))
	return entered
}

// checkTwin refuses to start a container that logins do not enter: its agent would ask for the
// socket that belongs to another one's.
func (c Container) checkTwin(d state.ContainerDir) error {
	entered, host := c.isEntered(d, state.Inventory(paths.Inventory()))
	if entered {
		return nil
	}
	what := "another engine has a container of this name, and it is not known which of them logins enter"
	if host != "" {
		what = "logins enter the container of this name on the engine " + host
	}
	return usererr.New(usererr.Container, what, "to remove this one, run: "+c.engine.Program()+" rm "+c.Name, nil)
}
