package agent

import (
	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/container/spawn"
	"github.com/dockersh/dockersh/internal/host/limits"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// inherit returns a program that has the umask, limits and nice value of the login, as far as
// the container allows: without rights a limit can only be lowered, and a nice value raised.
func inherit(in *wire.Inherited) *spawn.Program {
	p := &spawn.Program{Umask: -1, Limits: limits.Own()}
	if n, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil {
		p.Nice = 20 - n // as the system call returns it (getpriority(2))
	}
	if in == nil {
		return p
	}
	p.Umask, p.Nice = int(in.Umask), max(p.Nice, int(in.Nice))
	for i := range p.Limits {
		p.Limits[i] = p.Limits[i].Lower(in.Limits[i])
	}
	return p
}
