// Package limits reads the resource limits of this process, as whoever started it set
// them: package syscall raises the soft limit of open files for Go programs when it is
// initialized. This package is initialized before, because it imports nothing.
package limits

import _ "unsafe" // for linkname

// Limit is a soft and a hard limit (getrlimit(2)); Unlimited means none.
type Limit struct{ Soft, Hard uint64 }

// Unlimited is RLIM_INFINITY.
const Unlimited = ^uint64(0)

// Number is how many resources Linux has. Their numbers begin at 0.
const Number = 16

// nofile is RLIMIT_NOFILE on every architecture that we build for.
const nofile = 7

// prlimit is prlimit(2).
//
//go:linkname prlimit syscall.prlimit
func prlimit(pid, resource int, set, old *Limit) error

var atStart = get(nofile)

// Own returns the limits of this process, by the number of the resource. A resource that the
// kernel does not have is unlimited.
func Own() (all [Number]Limit) {
	for i := range all {
		all[i] = get(i)
	}
	all[nofile].Soft = min(atStart.Soft, all[nofile].Hard)
	return all
}

func get(resource int) (l Limit) {
	if prlimit(0, resource, nil, &l) != nil {
		return Limit{Unlimited, Unlimited}
	}
	return l
}

// Lower returns the lower of two limits, for soft and hard each.
func (l Limit) Lower(other Limit) Limit {
	l.Hard = min(l.Hard, other.Hard)
	l.Soft = min(l.Soft, other.Soft, l.Hard)
	return l
}
