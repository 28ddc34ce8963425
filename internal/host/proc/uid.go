package proc

import (
	"strconv"
	"strings"
)

// UID returns the real uid of a process, or ErrGone.
func UID(pid int) (uint32, error) {
	uids, err := uidsOf(pid)
	return uids[0], err
}

// uidsOf returns the real, effective, saved and file system uid of a process, or ErrGone.
func uidsOf(pid int) (uids [4]uint32, err error) {
	var b [1024]byte // the line is one of the first
	text, err := readFile(pid, "status", b[:])
	if err != nil {
		return uids, err
	}
	_, line, _ := strings.Cut(text, "\nUid:")
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
