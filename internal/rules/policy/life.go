package policy

import (
	"time"
)

// LabelEphemeral says that a container goes with its last session, and how long
// it is kept for the next: a duration. A container where it is empty or missing was
// made to stay, whatever the settings say today.
const LabelEphemeral = "dockersh.ephemeral"

// LabelMark names where a broker keeps what it knows of the container
// (rundir.Dir.Mark). Nothing is removed of itself that has another mark than it
// would be given: it was renamed, is another's copy, or another broker's.
const LabelMark = "dockersh.mark"

// LabelAdmins is the hash of the settings that made a container, without what the
// user's own file said. With onchange = recreate it decides: that is the
// administrator's word, and no user's.
const LabelAdmins = "dockersh.admins"

// Ephemeral reads from a container's labels whether it goes with its last
// session, and after how long. Who removes it looks at LabelMark, too.
func Ephemeral(labels map[string]string) (linger time.Duration, ok bool) {
	linger, err := time.ParseDuration(labels[LabelEphemeral])
	if err != nil || linger < 0 {
		// Ours are written so that they can be read: this one is somebody else's.
		return 0, false
	}
	_, owned := OwnerOf(labels)
	return linger, owned
}
