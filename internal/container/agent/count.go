package agent

import (
	"errors"
	"os"
	"strconv"

	"github.com/dockersh/dockersh/internal/host/proc"
)

// program is the name of every agent in /proc.
const program = "dockersh-init"

// countProcesses counts the processes in the container that somebody started: all but
// process 1 and agents. If it cannot look, it counts one.
func countProcesses() (n uint32) {
	f, err := os.Open("/proc")
	if err != nil {
		return 1
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return 1
	}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == 1 {
			continue
		}
		// One that has ended does not count, even if nobody has waited for it.
		if s, err := proc.Of(pid); !errors.Is(err, proc.ErrGone) && (err != nil || s.Name != program) {
			n++
		}
	}
	return n
}
