package facts

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/host/account"
)

// Limits are those that PAM sets for a user's processes on the host (limits.conf(5)); 0:
// none.
type Limits struct {
	Processes    uint64
	AddressSpace uint64 // of each process, in bytes
}

// LimitsOf returns the limits that a user with these groups gets by the files of pam_limits(8),
// of which these are the texts, in the order in which they are read. A line for the user
// precedes one for a group, and that one for everybody; of several of a kind the last counts.
func LimitsOf(texts []string, u account.User, groups []string) Limits {
	found := map[string]uint64{} // by item and type
	rank := map[string]int{}
	for _, text := range texts {
		for line := range strings.Lines(text) {
			line, _, _ = strings.Cut(line, "#")
			f := strings.Fields(line)
			if len(f) != 4 {
				continue
			}
			of := rankOf(f[0], u, groups)
			n, err := strconv.ParseUint(f[3], 10, 64)
			if err != nil {
				n = 0 // unlimited, infinity, -1
			}
			for _, kind := range []string{"soft", "hard"} {
				key := f[2] + " " + kind
				if of > 0 && of >= rank[key] && (f[1] == kind || f[1] == "-") {
					found[key], rank[key] = n, of
				}
			}
		}
	}
	least := func(item string) uint64 {
		soft, hard := found[item+" soft"], found[item+" hard"]
		if soft == 0 || hard > 0 && hard < soft {
			return hard
		}
		return soft
	}
	return Limits{Processes: least("nproc"), AddressSpace: least("as") << 10}
}

// rankOf returns how much the lines of a domain count for a user; 0: they are not for the user.
func rankOf(domain string, u account.User, groups []string) int {
	first, last, isRange := strings.Cut(domain, ":")
	from, err := strconv.ParseUint(first, 10, 32)
	to, toErr := strconv.ParseUint(last, 10, 32)
	group, isGroup := strings.CutPrefix(domain, "@")
	switch {
	case domain == u.Name:
		return 3
	case isRange && err == nil && uint64(u.UID) >= from && (toErr != nil && last == "" || uint64(u.UID) <= to):
		return 3
	case isGroup && slices.Contains(groups, group):
		return 2
	case domain == "*" && u.UID != 0:
		return 1
	}
	return 0
}
