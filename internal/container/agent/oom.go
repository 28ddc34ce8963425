package agent

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// oomCounter reads how often the kernel killed a process of this container to free
// memory.
type oomCounter struct{ fd int }

// openOOMCounter opens the counter in the container's cgroup, v2 or v1. Without one the
// count stays 0.
func openOOMCounter() oomCounter {
	for _, p := range []string{"/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"} {
		if fd, err := unix.Open(p, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0); err == nil {
			return oomCounter{fd}
		}
	}
	return oomCounter{-1}
}

func (o oomCounter) read() int {
	var b [512]byte
	n, err := unix.Pread(o.fd, b[:], 0)
	if err != nil {
		return 0
	}
	return parseOOM(string(b[:n]))
}

// parseOOM returns N of the line "oom_kill N".
func parseOOM(s string) int {
	for line := range strings.SplitSeq(s, "\n") {
		if number, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, _ := strconv.Atoi(number) // 0 if it is not a number
			return n
		}
	}
	return 0
}
