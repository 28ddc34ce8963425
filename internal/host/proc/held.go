package proc

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// Held is the directory of a process in /proc, held open: what is below it is that
// process's as long as it runs, and nothing once it has ended. A number can be another
// process's by the next look.
type Held struct{ fd int }

// Hold opens the directory of a process; ErrGone.
func Hold(pid int) (Held, error) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		err = ErrGone
	}
	return Held{fd}, err
}

// Path returns the path of a file in the directory, such as ns/user.
func (h Held) Path(name string) string { return "/proc/self/fd/" + strconv.Itoa(h.fd) + "/" + name }

// Close closes the directory.
func (h Held) Close() error { return unix.Close(h.fd) }
