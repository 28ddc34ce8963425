package life

import (
	"github.com/dockersh/dockersh/internal/host/trustedpath"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// Mountable refuses a bind source that somebody but root could swap: the engine
// follows its path again, as root, whenever the container starts, so that a
// symbolic link put there meanwhile would give any directory of the host
// (CVE-2025-31133 and others are of this class). What counts is who can change
// the names on the way; the directory itself may be the user's.
func Mountable(source string) error {
	if err := trustedpath.Lead(source); err != nil {
		return usererr.New(usererr.Settings, source+" is not mounted: "+err.Error(),
			"ask the administrator: every directory above it must be root's alone", nil)
	}
	return nil
}
