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
	uids, err := uidsOf(pid)
	return uids[0], err
}

// uidsOf returns the real, effective, saved and file system uid of a process, or ErrGone.
func uidsOf(pid int) (uids [4]uint32, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return uids, ErrGone
	}
	if err != nil {
		return uids, err
	}
	_, line, _ := strings.Cut(string(text), "\nUid:")
	line, _, _ = strings.Cut(line, "\n")
	f := strings.Fields(line)
	if len(f) != len(uids) {
		return uids, errFormat
	}
	for i := range uids {
		uid, err := strconv.ParseUint(f[i], 10, 32)
		if err != nil {
			return uids, err
		}
		uids[i] = uint32(uid)
	}
	return uids, nil
}
