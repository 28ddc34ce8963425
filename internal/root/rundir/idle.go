package rundir

import (
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/agentclient"
)

// Idle asks the container's agents whether anything runs there that somebody
// started. Each sees all of it; one that does not answer, or says that something
// runs, is believed. known is false if there was nobody to ask. A user's agent can
// lie about the user's own processes only.
func (d Dir) Idle() (idle, known bool) {
	socks, _ := filepath.Glob(d.file("agent-*.sock")) // fails only on a bad pattern
	idle = true
	for _, s := range socks {
		agent, err := agentclient.Dial(s)
		if err == unix.ECONNREFUSED || err == unix.ENOENT {
			continue // it has ended
		}
		known = true
		n := uint32(1)
		if err == nil {
			n, err = agent.CountProcesses()
			_ = agent.Close()
		}
		idle = idle && err == nil && n == 0
	}
	return idle && known, known
}
