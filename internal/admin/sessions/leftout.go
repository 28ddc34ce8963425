package sessions

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/human"
)

// LeftOut is what a list of sessions leaves out: of users with brokers of their own, whose
// directories they can spoil.
type LeftOut struct {
	Unread int            // run-time directories that were not read in time
	Forged map[string]int // live entries that no broker wrote, by user
}

// dropForged returns the entries without those whose id is not theirs alone: isTaken reports
// whether it is that of another session, or the name of a container, either of which the
// administrator may mean by it.
func (o *LeftOut) dropForged(all []Entry, isTaken func(id string) bool) (kept []Entry) {
	claims := map[string]int{}
	for _, e := range all {
		claims[e.ID]++
	}
	for _, e := range all {
		if isTaken(e.ID) || claims[e.ID] > 1 {
			o.addForged(e.User, 1)
		} else {
			kept = append(kept, e)
		}
	}
	return kept
}

func (o *LeftOut) add(other LeftOut) {
	o.Unread += other.Unread
	for user, n := range other.Forged {
		o.addForged(user, n)
	}
}

func (o *LeftOut) addForged(user string, n int) {
	if o.Forged == nil {
		o.Forged = map[string]int{}
	}
	if n > 0 {
		o.Forged[user] += n
	}
}

// String returns one line, or nothing if the list is complete.
func (o LeftOut) String() string {
	var parts []string
	if o.Unread > 0 {
		directories := fmt.Sprintf("%d users' directories of session entries", o.Unread)
		if o.Unread == 1 {
			directories = "a user's directory of session entries"
		}
		parts = append(parts, directories+" did not answer in time")
	}
	if len(o.Forged) > 0 {
		n := 0
		for _, of := range o.Forged {
			n += of
		}
		entries := fmt.Sprintf("%d session entries that no broker wrote", n)
		if n == 1 {
			entries = "a session entry that no broker wrote"
		}
		parts = append(parts, entries+" left out, of "+human.FirstThree(slices.Sorted(maps.Keys(o.Forged))))
	}
	return strings.Join(parts, "; ")
}

// warn reports that a list is not complete.
func (o LeftOut) warn() {
	if text := o.String(); text != "" {
		fmt.Fprintln(os.Stderr, "dockershctl: warning: users' own brokers:", text)
	}
	if o.Unread > 0 {
		fmt.Fprintln(os.Stderr, "hint: to find their file systems, run: findmnt (which does not wait for them)")
	}
}
