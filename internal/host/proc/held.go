package proc

import (
	"errors"
	"os"
	"strconv"
	"strings"

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

// Groups returns the effective primary group of the process and its supplementary groups.
func (h Held) Groups() (gid uint32, groups []uint32, err error) {
	text, err := os.ReadFile(h.Path("status"))
	if err != nil {
		return 0, nil, err
	}
	primary, err := numbersOf(string(text), "Gid")
	if err == nil && len(primary) != 4 { // real, effective, saved, file system
		err = errFormat
	}
	if err != nil {
		return 0, nil, err
	}
	groups, err = numbersOf(string(text), "Groups")
	return primary[1], groups, err
}

// numbersOf returns the numbers in a line of /proc/PID/status.
func numbersOf(status, key string) (numbers []uint32, err error) {
	_, line, ok := strings.Cut(status, "\n"+key+":")
	if !ok {
		return nil, errFormat
	}
	line, _, _ = strings.Cut(line, "\n")
	for _, word := range strings.Fields(line) {
		n, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, uint32(n))
	}
	return numbers, nil
}

// Close closes the directory.
func (h Held) Close() error { return unix.Close(h.fd) }
