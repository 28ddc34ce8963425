package containers

import (
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/state"
)

// entered returns the host of the engine on which logins enter the container of this name: all
// of one name share a directory, and one of them has it. It is empty where that is not known.
func (c Container) entered(d state.ContainerDir) (host string) {
	if !c.twin {
		return c.address.Host
	}
	if made, err := d.Made(); err == nil {
		host = made.Engine
	}
	if expected, ok := state.Inventory(paths.Inventory()).Get(c.Name); ok && host == "" { // the host was restarted
		host = expected.Engine
	}
	return host
}

// isLeft reports whether logins enter a container of this name on another engine, so that nobody
// is in this one.
func (c Container) isLeft(d state.ContainerDir) bool {
	host := c.entered(d)
	return host != "" && !engine.SameHost(host, c.address.Host)
}

// checkTwin refuses to start a container that logins do not enter: its agent would ask for the
// socket that belongs to another one's.
func (c Container) checkTwin(d state.ContainerDir) error {
	host := c.entered(d)
	if engine.SameHost(host, c.address.Host) {
		return nil
	}
	what := "another engine has a container of this name, and it is not known which of them logins enter"
	if host != "" {
		what = "logins enter the container of this name on the engine " + host
	}
	return usererr.New(usererr.Container, what, "to remove this one, run: "+c.engine.Program()+" rm "+c.Name, nil)
}
