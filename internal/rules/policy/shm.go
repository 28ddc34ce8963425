package policy

import (
	"slices"
	"strconv"

	"github.com/dockersh/dockersh/internal/rules/values"
)

// engineShm is how large engines make /dev/shm, in bytes.
const engineShm = 64 << 20

// shmSize returns the size of /dev/shm in bytes, as the engine's option, for a container
// with little memory: files there count as memory, and no kill frees it. It is half of the
// memory; empty leaves the engine's own size, and what dockeropt sets.
func shmSize(memory string, options [][]string) string {
	half := int64(values.Bytes(memory) / 2)
	if half < 1 || half >= engineShm || slices.ContainsFunc(options, decidesShm) {
		return ""
	}
	return strconv.FormatInt(half, 10)
}

// decidesShm reports whether an option of the engine's create command sets the size of
// /dev/shm, or whose it is.
func decidesShm(words []string) bool {
	name, _ := values.Option(words)
	return name == "--shm-size" || name == "--ipc"
}
