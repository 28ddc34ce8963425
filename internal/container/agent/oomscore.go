package agent

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// oomAbove is how much higher the OOM score adjustment of sessions is than that of the
// agent: a tenth of the memory that the container may have. So the kernel kills what a user
// started, and not process 1, with which the container would end.
const oomAbove = 100

// oomScore is the OOM score adjustment of this process (proc(5)).
type oomScore struct {
	fd  int // -1 if it cannot be changed
	own int
}

func openOOMScore() oomScore {
	const path = "/proc/self/oom_score_adj"
	text, err := os.ReadFile(path)
	if err != nil {
		return oomScore{fd: -1}
	}
	own, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return oomScore{fd: -1}
	}
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		fd = -1
	}
	return oomScore{fd: fd, own: own}
}

// raise raises this process's adjustment, for a child process to inherit. Everybody may
// raise their own, and lower it to what it was. The child cannot do it: until its program
// runs, it is not dumpable either, and its own file in /proc belongs to root.
func (o oomScore) raise() (restore func()) {
	o.write(min(o.own+oomAbove, 1000))
	return func() { o.write(o.own) }
}

func (o oomScore) write(n int) { _, _ = unix.Pwrite(o.fd, []byte(strconv.Itoa(n)), 0) }
