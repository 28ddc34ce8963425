package agent

import (
	"errors"
	"os"
	"strconv"

	"github.com/dockersh/dockersh/internal/host/proc"
)

// program is what /proc calls every agent.
const program = "dockersh-init"

// others counts the processes in the container that somebody started: neither
// process 1 nor agents. Not to be able to look is to see one.
func others() (n uint32) {
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
		// One that has ended is none, be it that nobody has waited for it.
		if s, err := proc.Of(pid); !errors.Is(err, proc.ErrGone) && (err != nil || s.Name != program) {
			n++
		}
	}
	return n
}
