package rundir

import (
	"os"
	"strings"
)

// Mark names the directory among all hosts, for a label of the container that is
// made for it: a container may be renamed, an image of it started by hand, and an
// engine used by several hosts and by brokers with other directories.
func (d Dir) Mark() string {
	id, _ := os.ReadFile("/etc/machine-id") // machine-id(5); without one, hosts are not told apart
	return strings.TrimSpace(string(id)) + ":" + string(d)
}
