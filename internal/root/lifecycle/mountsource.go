package lifecycle

import (
	"github.com/dockersh/dockersh/internal/host/trustedpath"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// CheckMountSource refuses the source of a bind mount that a user could swap: the engine
// follows the path again, as root, whenever the container starts, so that a symbolic
// link put there meanwhile would lead to any directory of the host (CVE-2025-31133 and
// others are of this class). What counts is who can change the names on the way; the
// directory itself may be the user's.
func CheckMountSource(path string) error {
	if err := trustedpath.Way(path); err != nil {
		return usererr.New(usererr.Settings, path+" is not mounted: "+err.Error(),
			"ask the administrator to run: namei -l "+path+" (every directory above it must be writable by root alone)", nil)
	}
	return nil
}
