package policy

import (
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// Ephemeral reads from a container's labels whether it goes with its last
// session, and after how long. Who removes it looks at engine.LabelMark, too.
func Ephemeral(labels map[string]string) (linger time.Duration, ok bool) {
	linger, err := time.ParseDuration(labels[engine.LabelEphemeral])
	if err != nil || linger < 0 {
		// Ours are written so that they can be read: this one is somebody else's.
		return 0, false
	}
	_, owned := OwnerOf(labels)
	return linger, owned
}
