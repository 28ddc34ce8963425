package proc

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// UID returns the real uid of a process, or ErrGone.
func UID(pid int) (uint32, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return 0, ErrGone
	}
	if err != nil {
		return 0, err
	}
	_, line, _ := strings.Cut(string(text), "\nUid:")
	line, _, _ = strings.Cut(line, "\n")
	f := strings.Fields(line)
	if len(f) != 4 {
		return 0, errFormat
	}
	uid, err := strconv.ParseUint(f[0], 10, 32)
	return uint32(uid), err
}
