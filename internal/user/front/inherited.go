package front

import (
	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/limits"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// inherited returns what this process has from whoever started it (PAM, above all), for the
// session to have too.
func inherited() *wire.Inherited {
	in := &wire.Inherited{Limits: limits.Own(), Umask: uint16(sys.Umask())}
	if n, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil {
		in.Nice = int8(20 - n) // as the system call returns it (getpriority(2))
	}
	return in
}
