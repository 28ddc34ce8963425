package policy

import (
	"strconv"
	"strings"
)

// engineShm is how large engines make /dev/shm, in bytes.
const engineShm = 64 << 20

// shmSize returns the size of /dev/shm in bytes, as the engine's option, for a container
// with little memory: files there count as memory, and no kill frees it. It is half of the
// memory; empty leaves the engine's own size, and what dockeropt says.
func shmSize(memory string, options [][]string) string {
	for _, words := range options {
		if strings.HasPrefix(words[0], "--shm-size") || strings.HasPrefix(words[0], "--ipc") {
			return ""
		}
	}
	unit := 1.0
	number := strings.TrimRight(strings.ToLower(memory), "bkmg")
	switch strings.TrimPrefix(strings.ToLower(memory), number) {
	case "k":
		unit = 1 << 10
	case "m":
		unit = 1 << 20
	case "g":
		unit = 1 << 30
	}
	n, err := strconv.ParseFloat(number, 64)
	if half := n * unit / 2; err == nil && half >= 1 && half < engineShm {
		return strconv.FormatInt(int64(half), 10)
	}
	return ""
}
