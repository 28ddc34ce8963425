package broker

import (
	"strings"

	"github.com/dockersh/dockersh/internal/root/life"
)

// sources looks at what is about to be mounted from the host: the home, and
// volumes that name a directory. Options of dockeropt are the administrator's own
// words to the engine.
func (c *cold) sources() error {
	s := c.plan.Settings
	var all []string
	if s.MountHome {
		all = append(all, s.MountHomeFrom)
	}
	for _, v := range s.Volume {
		if from, _, ok := strings.Cut(v, ":"); ok && strings.HasPrefix(from, "/") {
			all = append(all, from)
		}
	}
	for _, from := range all {
		if err := life.Mountable(from); err != nil {
			return err
		}
	}
	return nil
}
