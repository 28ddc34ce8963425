package state

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// A user can write anything into the directory of their own broker (the direct door), and
// the administrator reads it: there an entry counts only if a broker can have written it.

const (
	// maxContainerName is more than any container's name has (rules/template, and the
	// prefix of a name that the user chose), maxKey more than a fingerprint has.
	maxContainerName = 128
	maxKey           = 64
	// maxAhead is how far the clock of the host may have been set back since.
	maxAhead = 24 * time.Hour
)

// LiveOf returns live sessions of a user out of as many entries, and how many of the user's
// live entries no broker can have written. Address and recording are not among what it
// returns: a user's own broker writes none.
func (d Sessions) LiveOf(uid uint32, most int) (all []Session, forged int) {
	for _, s := range d.list(most, func(s Session) bool { return s.UID == uid }) {
		text, err := os.Readlink(d.path(s))
		switch {
		case err != nil || !s.IsLive():
		case !s.parseUntrusted(text, time.Now()):
			forged++
		default:
			all = append(all, s)
		}
	}
	return all, forged
}

// parseUntrusted completes a session by the text of its entry; false if no broker can have
// written an entry with this name and text.
func (s *Session) parseUntrusted(text string, now time.Time) bool {
	f := strings.Split(text, "\t")
	if len(f) != 4 {
		return false
	}
	since, err := strconv.ParseInt(f[0], 10, 64)
	s.Since, s.User, s.Key = time.Unix(since, 0), f[1], f[3]
	return err == nil && since > 0 && since <= now.Add(maxAhead).Unix() &&
		!s.Connection && isSessionID(s.ID) && isAlnum(s.Container[0]) && len(s.Container) <= maxContainerName &&
		(s.Key == "" || isName(s.Key)) && len(s.Key) <= maxKey
}

// isSessionID reports whether NewSessionID can have made an id.
func isSessionID(s string) bool {
	return len(s) == idLength && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
